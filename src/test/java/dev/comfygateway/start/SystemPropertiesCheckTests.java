package dev.comfygateway.start;

import dev.comfygateway.GatewayProperties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.context.properties.bind.UnboundConfigurationPropertiesException;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Configuration;

import static org.assertj.core.api.Assertions.assertThat;

class SystemPropertiesCheckTests {

	private final ApplicationContextRunner context = new ApplicationContextRunner()
		.withUserConfiguration(Settings.class, SystemPropertiesCheck.class);

	@ParameterizedTest
	@ValueSource(strings = { "gateway.ttl", "gateway.page.size", "gateway.fresh-for.seconds" })
	void bindWhenSystemPropertyNamesNoSettingFails(String name) {
		context.withSystemProperties(name + "=1")
			.run(failed -> assertThat(failed).getFailure()
				.rootCause()
				.isInstanceOfSatisfying(UnboundConfigurationPropertiesException.class,
						failure -> assertThat(failure.getUnboundProperties())
							.extracting(property -> property.getName().toString())
							.containsExactly(name)));
	}

	/** Spring Boot's own check must still run behind this one. */
	@Test
	void bindWhenOtherPropertyNamesNoSettingFails() {
		context.withPropertyValues("gateway.ttl=1")
			.run(failed -> assertThat(failed).getFailure()
				.rootCause()
				.isInstanceOf(UnboundConfigurationPropertiesException.class));
	}

	@Test
	void bindWhenSystemPropertiesAreSettingsSucceeds() {
		context
			.withSystemProperties("gateway.freshFor=3s", "gateway.allowed-origins[0]=https://a.example",
					"gateway.allowed-origins[1]=https://b.example", "gateway.page.enabled=false", "gateways.name=other")
			.withPropertyValues("gateway.allowed-origins=https://c.example")
			.run(started -> assertThat(started.getBean(GatewayProperties.class).page().enabled()).isFalse());
	}

	@Configuration(proxyBeanMethods = false)
	@EnableConfigurationProperties(GatewayProperties.class)
	static class Settings {

	}

}
