package dev.comfygateway.tracing;

import org.jspecify.annotations.Nullable;
import org.springframework.boot.autoconfigure.AutoConfigurationImportFilter;
import org.springframework.boot.autoconfigure.AutoConfigurationMetadata;
import org.springframework.context.EnvironmentAware;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.Environment;

/**
 * Filter that excludes Spring Boot's tracing if the {@link TracingSwitch} is off.
 * Otherwise Boot would create spans and send trace headers to the upstream without a
 * collector.
 *
 * <p>
 * It runs before Boot's filter, which would load OpenTelemetry's classes to check whether
 * they are present.
 */
@Order(Ordered.HIGHEST_PRECEDENCE)
class UntracedFilter implements AutoConfigurationImportFilter, EnvironmentAware {

	private static final String TRACING = "org.springframework.boot.micrometer.tracing.";

	private static final String OPEN_TELEMETRY = "org.springframework.boot.opentelemetry.autoconfigure.";

	private boolean traced;

	@Override
	public void setEnvironment(Environment environment) {
		traced = environment.getProperty(TracingSwitch.ENABLED, Boolean.class, false);
	}

	@Override
	public boolean[] match(@Nullable String[] classes, AutoConfigurationMetadata metadata) {
		boolean[] matches = new boolean[classes.length];
		for (int i = 0; i < classes.length; i++) {
			String name = classes[i];
			matches[i] = traced || name == null || !(name.startsWith(TRACING) || name.startsWith(OPEN_TELEMETRY));
		}
		return matches;
	}

}
