package dev.comfygateway.fleet;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.InvalidSettingException;
import dev.comfygateway.cache.Fleet;
import dev.comfygateway.cache.SingleReplica;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;

/**
 * Configuration of the fleet according to {@code gateway.fleet}. The component scan does
 * not find {@link RedisConfiguration}. It is imported, so that its beans are defined
 * before the condition here is evaluated.
 */
@Configuration(proxyBeanMethods = false)
@Import(RedisConfiguration.class)
class FleetConfiguration {

	/**
	 * Fleet of a single replica, if no other fleet is configured.
	 * @throws InvalidSettingException if the spelling of the setting does not match the
	 * condition of {@link RedisConfiguration}
	 */
	@Bean
	@ConditionalOnMissingBean
	Fleet singleReplica(GatewayProperties properties) {
		if (properties.fleet() != GatewayProperties.FleetType.NONE) {
			throw new InvalidSettingException("gateway.fleet", "has an unsupported spelling",
					"Set it to none or redis.");
		}
		return new SingleReplica();
	}

}
