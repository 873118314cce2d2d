package dev.comfygateway.fleet;

import dev.comfygateway.InvalidSettingException;
import java.net.URI;
import java.net.URISyntaxException;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.event.ApplicationEnvironmentPreparedEvent;
import org.springframework.boot.support.EnvironmentPostProcessorApplicationListener;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Condition;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.core.Ordered;
import org.springframework.core.SpringProperties;
import org.springframework.core.env.Environment;
import org.springframework.core.type.AnnotatedTypeMetadata;

/**
 * Switch of the fleet ({@code gateway.fleet}). It is evaluated at start, since the beans
 * that the build generated are those without a fleet. Where it is on, Spring AOT is off
 * and the beans are defined at start.
 */
public class FleetSwitch implements ApplicationListener<ApplicationEnvironmentPreparedEvent>, Ordered, Condition {

	private static final String URL = "spring.data.redis.url";

	static boolean isOn(Environment environment) {
		return "redis".equalsIgnoreCase(environment.getProperty("gateway.fleet", "").strip());
	}

	@Override
	public void onApplicationEvent(ApplicationEnvironmentPreparedEvent event) {
		if (isOn(event.getEnvironment())) {
			requireUrl(event.getEnvironment().getProperty(URL));
			SpringProperties.setProperty("spring.aot.enabled", "false");
		}
	}

	/** Boot's own report of a wrong URL would print it, with the password. */
	private static void requireUrl(@Nullable String url) {
		try {
			if (url == null || url.isEmpty() || ("" + new URI(url).getScheme()).matches("rediss?")) {
				return;
			}
		}
		catch (URISyntaxException ignored) {
			// told below, without the value
		}
		throw new InvalidSettingException(URL, "is not a URL of Redis",
				"Use one such as redis://redis.example:6379, or rediss://… for TLS.");
	}

	/** After all sources of settings. */
	@Override
	public int getOrder() {
		return EnvironmentPostProcessorApplicationListener.DEFAULT_ORDER + 1;
	}

	@Override
	public boolean matches(ConditionContext context, AnnotatedTypeMetadata metadata) {
		return isOn(context.getEnvironment());
	}

}
