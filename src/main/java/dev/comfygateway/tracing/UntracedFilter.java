package dev.comfygateway.tracing;

import org.jspecify.annotations.Nullable;
import org.springframework.boot.autoconfigure.AutoConfigurationImportFilter;
import org.springframework.boot.autoconfigure.AutoConfigurationMetadata;
import org.springframework.context.EnvironmentAware;
import org.springframework.core.env.Environment;

/**
 * Filter that leaves out all of Spring Boot's tracing where the {@link TracingSwitch} is
 * off: Boot would else make spans, and headers for the upstream, that nobody collects.
 * What would send the log is always left out, since the log has its own way.
 */
class UntracedFilter implements AutoConfigurationImportFilter, EnvironmentAware {

	private static final String TRACING = "org.springframework.boot.micrometer.tracing.";

	private static final String OPEN_TELEMETRY = "org.springframework.boot.opentelemetry.autoconfigure.";

	private static final String LOGGING = OPEN_TELEMETRY + "logging.";

	private boolean traced;

	@Override
	public void setEnvironment(Environment environment) {
		traced = TracingSwitch.isOn(environment);
	}

	@Override
	public boolean[] match(@Nullable String[] classes, AutoConfigurationMetadata metadata) {
		boolean[] matches = new boolean[classes.length];
		for (int i = 0; i < classes.length; i++) {
			String name = classes[i];
			matches[i] = name == null || !(name.startsWith(LOGGING) || (!traced && isTracing(name)));
		}
		return matches;
	}

	private static boolean isTracing(String name) {
		return name.startsWith(TRACING) || name.startsWith(OPEN_TELEMETRY);
	}

}
