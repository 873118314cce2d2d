package dev.comfygateway.tracing;

import java.util.List;
import java.util.Map;
import org.springframework.boot.context.event.ApplicationEnvironmentPreparedEvent;
import org.springframework.boot.support.EnvironmentPostProcessorApplicationListener;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Condition;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.core.Ordered;
import org.springframework.core.SpringProperties;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.Environment;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.type.AnnotatedTypeMetadata;
import org.springframework.util.StringUtils;

/**
 * Switch of tracing: on where the endpoint of a collector is set. It is evaluated at
 * start, since the beans that the build generated are those without an endpoint. Where
 * tracing is on, Spring AOT is off and the beans are defined at start.
 */
public class TracingSwitch implements ApplicationListener<ApplicationEnvironmentPreparedEvent>, Ordered, Condition {

	private static final String ENDPOINT = "management.opentelemetry.tracing.export.otlp.endpoint";

	/**
	 * Boot's own switches; one that is off disables the export despite an endpoint.
	 */
	private static final List<String> SWITCHES = List.of("management.opentelemetry.enabled",
			"management.tracing.export.enabled", "management.tracing.export.otlp.enabled");

	/** Whether requests are traced. */
	public static boolean isOn(Environment environment) {
		return StringUtils.hasText(environment.getProperty(ENDPOINT))
				&& SWITCHES.stream().allMatch(name -> environment.getProperty(name, Boolean.class, true));
	}

	@Override
	public void onApplicationEvent(ApplicationEnvironmentPreparedEvent event) {
		ConfigurableEnvironment environment = event.getEnvironment();
		if (isOn(environment)) {
			SpringProperties.setProperty("spring.aot.enabled", "false");
		}
		else {
			// Otherwise Boot adds empty trace ids to each log line
			environment.getPropertySources()
				.addLast(new MapPropertySource("tracing", Map.of("management.tracing.export.enabled", "false")));
		}
	}

	/**
	 * After all sources of settings, such as OpenTelemetry's environment variables, and
	 * before logging is configured.
	 */
	@Override
	public int getOrder() {
		return EnvironmentPostProcessorApplicationListener.DEFAULT_ORDER + 1;
	}

	@Override
	public boolean matches(ConditionContext context, AnnotatedTypeMetadata metadata) {
		return isOn(context.getEnvironment());
	}

}
