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
 * Choice of the fleet by {@code gateway.fleet}. The other configuration is imported, and
 * not found by the scan, so that its beans come before the condition here.
 */
@Configuration(proxyBeanMethods = false)
@Import(RedisConfiguration.class)
class FleetConfiguration {

	/**
	 * Fleet of one replica, if no other one is configured.
	 * @throws InvalidSettingException if the setting is spelt as no condition reads it
	 */
	@Bean
	@ConditionalOnMissingBean
	Fleet singleReplica(GatewayProperties properties) {
		if (properties.fleet() != GatewayProperties.FleetType.NONE) {
			throw new InvalidSettingException("gateway.fleet", "is not spelt as one of its values",
					"Write none or redis.");
		}
		return new SingleReplica();
	}

}
