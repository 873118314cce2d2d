package dev.comfygateway.tracing;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.mock.env.MockEnvironment;

import static org.assertj.core.api.Assertions.assertThat;

class TracingSwitchTests {

	private final MockEnvironment environment = new MockEnvironment();

	@Test
	void isOnWhenEndpointIsSetIsTrue() {
		assertThat(TracingSwitch.isOn(environment)).isFalse();
		endpoint(" ");
		assertThat(TracingSwitch.isOn(environment)).isFalse();
		endpoint("http://collector:4318/v1/traces");
		assertThat(TracingSwitch.isOn(environment)).isTrue();
	}

	@ParameterizedTest
	@ValueSource(strings = { "management.opentelemetry.enabled", "management.tracing.export.enabled",
			"management.tracing.export.otlp.enabled" })
	void isOnWhenExportIsDisabledIsFalse(String property) {
		endpoint("http://collector:4318/v1/traces");
		environment.setProperty(property, "false");
		assertThat(TracingSwitch.isOn(environment)).isFalse();
	}

	private void endpoint(String url) {
		environment.setProperty("management.opentelemetry.tracing.export.otlp.endpoint", url);
	}

}
