package dev.comfygateway.server;

import org.eclipse.jetty.ee11.webapp.AbstractConfiguration;
import org.eclipse.jetty.ee11.webapp.WebAppContext;

/**
 * Configuration that replaces the error handler which Spring Boot gives the servlets'
 * context.
 */
final class ErrorConfiguration extends AbstractConfiguration {

	private final ErrorAnswerHandler errors;

	ErrorConfiguration(ErrorAnswerHandler errors) {
		super(new Builder());
		this.errors = errors;
	}

	@Override
	public void configure(WebAppContext context) {
		context.setErrorHandler(errors);
	}

}
