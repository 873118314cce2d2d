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
 * Switch that the endpoint of a collector turns on. It is looked at when the gateway
 * starts, although the beans may have been laid out in the build, without an endpoint:
 * where there is one, they are laid out anew.
 */
public class TracingSwitch implements ApplicationListener<ApplicationEnvironmentPreparedEvent>, Ordered, Condition {

	private static final String ENDPOINT = "management.opentelemetry.tracing.export.otlp.endpoint";

	/**
	 * Each of them, off, means that nothing is exported although there is an endpoint.
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
			// Else each line of the log would have room for the ids of a trace
			environment.getPropertySources()
				.addLast(new MapPropertySource("tracing", Map.of("management.tracing.export.enabled", "false")));
		}
	}

	/**
	 * After all that brings settings, OpenTelemetry's own variables among them, and
	 * before the log is set up.
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
