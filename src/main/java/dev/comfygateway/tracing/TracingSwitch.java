package dev.comfygateway.tracing;

import java.util.List;
import java.util.Map;
import org.springframework.boot.context.event.ApplicationEnvironmentPreparedEvent;
import org.springframework.boot.support.EnvironmentPostProcessorApplicationListener;
import org.springframework.context.ApplicationListener;
import org.springframework.core.Ordered;
import org.springframework.core.env.Environment;
import org.springframework.core.env.MapPropertySource;
import org.springframework.util.StringUtils;

/**
 * Switch of tracing, which is on if the endpoint of a collector is set. It sets Boot's
 * property {@value #ENABLED}, which conditions and the log pattern read.
 */
public class TracingSwitch implements ApplicationListener<ApplicationEnvironmentPreparedEvent>, Ordered {

	/** Property that enables tracing. */
	public static final String ENABLED = "management.tracing.export.enabled";

	private static final String ENDPOINT = "management.opentelemetry.tracing.export.otlp.endpoint";

	/**
	 * Boot's own switches. Each of them disables the export despite an endpoint.
	 */
	private static final List<String> SWITCHES = List.of("management.opentelemetry.enabled", ENABLED,
			"management.tracing.export.otlp.enabled");

	static boolean isOn(Environment environment) {
		return StringUtils.hasText(environment.getProperty(ENDPOINT))
				&& SWITCHES.stream().allMatch(name -> environment.getProperty(name, Boolean.class, true));
	}

	@Override
	public void onApplicationEvent(ApplicationEnvironmentPreparedEvent event) {
		event.getEnvironment()
			.getPropertySources()
			.addFirst(new MapPropertySource("tracing", Map.of(ENABLED, isOn(event.getEnvironment()))));
	}

	/**
	 * Runs after all property sources have been added, such as OpenTelemetry's
	 * environment variables, and before logging is configured.
	 */
	@Override
	public int getOrder() {
		return EnvironmentPostProcessorApplicationListener.DEFAULT_ORDER + 1;
	}

}
