package dev.comfygateway.start;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.boot.context.properties.ConfigurationPropertiesBindHandlerAdvisor;
import org.springframework.boot.context.properties.bind.BindContext;
import org.springframework.boot.context.properties.bind.BindHandler;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.handler.NoUnboundElementsBindHandler;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.context.annotation.Role;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.stereotype.Component;

/**
 * Check that rejects unknown system properties with the prefix {@code comfy} or
 * {@code gateway}. Spring Boot's own check covers the other property sources, except
 * environment variables.
 */
@Component
@Role(BeanDefinition.ROLE_INFRASTRUCTURE)
class SystemPropertiesCheck implements ConfigurationPropertiesBindHandlerAdvisor {

	private static final List<ConfigurationPropertyName> PREFIXES = List.of(ConfigurationPropertyName.of("comfy"),
			ConfigurationPropertyName.of("gateway"));

	@Override
	public BindHandler apply(BindHandler handler) {
		return new UnknownSystemProperties(handler);
	}

	private static boolean isSystemProperties(ConfigurationPropertySource source) {
		return source.getUnderlyingSource() instanceof PropertySource<?> properties
				&& properties.getName().equals(StandardEnvironment.SYSTEM_PROPERTIES_PROPERTY_SOURCE_NAME);
	}

	/** Handler that fails if a prefix has system properties that are not bound. */
	private static final class UnknownSystemProperties extends NoUnboundElementsBindHandler {

		private final BindHandler handler;

		UnknownSystemProperties(BindHandler handler) {
			super(handler, SystemPropertiesCheck::isSystemProperties);
			this.handler = handler;
		}

		@Override
		public void onFinish(ConfigurationPropertyName name, Bindable<?> target, BindContext context,
				@Nullable Object result) throws Exception {
			// The superclass does not call the wrapped handler
			handler.onFinish(name, target, context, result);
			if (PREFIXES.contains(name)) {
				super.onFinish(name, target, context, result);
			}
		}

	}

}
