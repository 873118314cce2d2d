package dev.comfygateway.fleet;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.InvalidSettingException;
import dev.comfygateway.cache.Fleet;
import dev.comfygateway.cache.SingleReplica;
import dev.comfygateway.support.GatewaySettings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

import static org.assertj.core.api.Assertions.assertThat;

class FleetConfigurationTests {

	@ParameterizedTest
	@ValueSource(strings = { "", "none", "NONE" })
	void fleetWhenDisabledIsASingleReplica(String value) {
		runner(value).run(context -> assertThat(context).getBean(Fleet.class).isInstanceOf(SingleReplica.class));
	}

	/** Otherwise a replica would silently not join the fleet. */
	@Test
	void fleetWhenSpelledDifferentlyIsRejected() {
		runner("re-dis").run(context -> assertThat(context).getFailure()
			.rootCause()
			.isInstanceOf(InvalidSettingException.class)
			.hasMessageContaining("gateway.fleet"));
	}

	private static ApplicationContextRunner runner(String value) {
		return new ApplicationContextRunner().withUserConfiguration(FleetConfiguration.class)
			.withPropertyValues("gateway.fleet=" + value)
			.withBean(GatewayProperties.class, () -> GatewaySettings.with("fleet=" + value));
	}

}
