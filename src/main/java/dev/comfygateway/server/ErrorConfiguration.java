package dev.comfygateway.server;

import org.eclipse.jetty.ee11.webapp.AbstractConfiguration;
import org.eclipse.jetty.ee11.webapp.WebAppContext;

/**
 * Jetty configuration that replaces the error handler that Spring Boot sets on the
 * servlet context.
 */
final class ErrorConfiguration extends AbstractConfiguration {

	private final ErrorResponseHandler errors;

	ErrorConfiguration(ErrorResponseHandler errors) {
		super(new Builder());
		this.errors = errors;
	}

	@Override
	public void configure(WebAppContext context) {
		context.setErrorHandler(errors);
	}

}
