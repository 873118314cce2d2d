package dev.comfygateway.server;

import dev.comfygateway.InvalidSettingException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.mock.env.MockEnvironment;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class ServerConfigurationTests {

	@ParameterizedTest
	@CsvSource({ "server.servlet.context-path, /comfy", "spring.mvc.servlet.path, /comfy/",
			"spring.mvc.servlet.path, comfy" })
	void settingWhenItMovesThePathsIsRejected(String setting, String value) {
		MockEnvironment environment = new MockEnvironment().withProperty(setting, value);
		assertThatExceptionOfType(InvalidSettingException.class).isThrownBy(() -> new ServerConfiguration(environment))
			.withMessageContaining(setting);
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "/" })
	void settingWhenItKeepsThePathsIsAccepted(String value) {
		MockEnvironment environment = new MockEnvironment().withProperty("server.servlet.context-path", value)
			.withProperty("spring.mvc.servlet.path", value);
		assertThatCode(() -> new ServerConfiguration(environment)).doesNotThrowAnyException();
	}

}
