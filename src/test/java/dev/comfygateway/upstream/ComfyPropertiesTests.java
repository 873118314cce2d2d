package dev.comfygateway.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.comfygateway.InvalidSettingException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Configuration;

class ComfyPropertiesTests {

	private final ApplicationContextRunner unconfigured = new ApplicationContextRunner()
		.withUserConfiguration(Settings.class);

	private final ApplicationContextRunner configured = unconfigured.withPropertyValues("comfy.api-key=secret-key");

	@Test
	void defaultsAreAsDocumented() {
		properties(configured, properties -> {
			assertThat(properties.baseUrl()).isEqualTo("https://cloud.comfy.org");
			assertThat(properties.auth()).isEqualTo(ComfyProperties.Auth.API_KEY);
			assertThat(properties.allowInsecure()).isFalse();
			assertThat(properties.connectTimeout()).isEqualTo(Duration.ofSeconds(1));
			assertThat(properties.deadline()).isEqualTo(Duration.ofMillis(2500));
		});
	}

	/** KEDA's request times out after 3 s, and KEDA would then not receive the reason. */
	@Test
	void deadlineWhenUnsetIsShorterThanAutoscalerTimeout() {
		properties(configured, properties -> assertThat(properties.deadline()).isLessThan(Duration.ofSeconds(3)));
	}

	@Test
	void valuesAreBoundByTheirDocumentedNames() {
		properties(unconfigured.withPropertyValues("comfy.api-key-file=/run/key", "comfy.base-url=http://comfy.example",
				"comfy.auth=api-key", "comfy.allow-insecure=true", "comfy.connect-timeout=200ms", "comfy.deadline=9s"),
				properties -> {
					assertThat(properties.apiKeyFile()).isEqualTo(Path.of("/run/key"));
					assertThat(properties.baseUrl()).isEqualTo("http://comfy.example");
					assertThat(properties.allowInsecure()).isTrue();
					assertThat(properties.connectTimeout()).isEqualTo(Duration.ofMillis(200));
					assertThat(properties.deadline()).isEqualTo(Duration.ofSeconds(9));
				});
	}

	@ParameterizedTest
	@CsvSource({ "https://comfy.example/, https://comfy.example",
			"https://comfy.example/proxy//, https://comfy.example/proxy",
			"' https://comfy.example ', https://comfy.example",
			"https://comfy.example:8443, https://comfy.example:8443", "HTTPS://comfy.example, HTTPS://comfy.example" })
	void baseUrlWhenItEndsWithSlashesRemovesThem(String given, String expected) {
		properties(configured.withPropertyValues("comfy.base-url=" + given),
				properties -> assertThat(properties.baseUrl()).isEqualTo(expected));
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "comfy.example", "//comfy.example", "ftp://comfy.example", "https://", "https:///x",
			"https:comfy.example", "https://user:secret@comfy.example", "https://comfy.example?a=b",
			"https://comfy.example#a", "https://comfy.example:99999", "https://comfy example",
			"https://comfy_example.org/{x}", "file:///etc/passwd", "jar:https://comfy.example!/",
			"http://comfy_ui:99999", "http://comfy_ui:port", "http://comfy_ui:1:2", "http://user:secret@comfy_ui:8188",
			"http://secret@comfy_ui", "http://comfy_ui?a=b", "http://comfy_ui#a", "http://:8188", "http://comfy..ui",
			"http://%63omfy", "http://a,b", "http://[comfy_ui]", "http://[::1", "http://::1" })
	void startWhenBaseUrlIsInvalidFails(String url) {
		assertRejected(configured.withPropertyValues("comfy.base-url=" + url), "comfy.base-url");
	}

	@Test
	void startWhenNoKeyIsGivenFails() {
		assertRejected(unconfigured, "comfy.api-key");
	}

	@ParameterizedTest
	@ValueSource(strings = { "comfy.api-key=", "comfy.api-key=  ", "comfy.api-key-file=" })
	void startWhenKeyIsBlankFails(String property) {
		assertRejected(unconfigured.withPropertyValues(property), "comfy.api-key");
	}

	@Test
	void startWhenBothKeysAreGivenFails() {
		assertRejected(configured.withPropertyValues("comfy.api-key-file=/run/key"), "comfy.api-key");
	}

	@ParameterizedTest
	@ValueSource(strings = { "http://comfy_ui:8188", "http://comfy_ui", "https://comfy_ui.example/below",
			"http://comfy.2:8188", "http://comfy-:8188", "http://_:8188", "http://k\u00f6mfy:8188", "http://3d:8188",
			"http://[fd00::1]:8188" })
	void startWhenHostIsNotParsedByUriSucceeds(String url) {
		properties(unconfigured.withPropertyValues("comfy.auth=none", "comfy.base-url=" + url),
				properties -> assertThat(properties.baseUrl()).isEqualTo(url));
	}

	@Test
	void startWhenAuthIsNoneNeedsNoKey() {
		properties(unconfigured.withPropertyValues("comfy.auth=none", "comfy.base-url=http://comfy.example"),
				properties -> assertThat(properties.auth()).isEqualTo(ComfyProperties.Auth.NONE));
	}

	@ParameterizedTest
	@ValueSource(strings = { "http://comfy.example", "HTTP://comfy.example", "http://10.0.0.1", "http://0.0.0.0",
			"http://localhost.comfy.example", "http://127.0.0.1.comfy.example", "http://[2001:db8::1]",
			"http://128.0.0.1", "http://comfy_ui:8188", "http://local_host:8188", "http://127.0.0.1_:8188",
			"http://l\u00f6calhost", "http://comfy.2" })
	void startWhenKeyWouldBeSentInPlainTextFails(String url) {
		assertRejected(configured.withPropertyValues("comfy.base-url=" + url), "comfy.base-url");
	}

	@ParameterizedTest
	@ValueSource(
			strings = { "http://localhost:8188", "http://LOCALHOST:8188", "http://127.0.0.1:8188", "http://127.1.2.3",
					"http://[::1]:8188", "http://\uff4c\uff4f\uff43\uff41\uff4c\uff48\uff4f\uff53\uff54:8188" })
	void startWhenPlainHttpIsToLoopbackSucceeds(String url) {
		properties(configured.withPropertyValues("comfy.base-url=" + url),
				properties -> assertThat(properties.baseUrl()).isEqualTo(url));
	}

	@Test
	void startWhenInsecureIsAllowedSucceeds() {
		properties(configured.withPropertyValues("comfy.base-url=http://comfy.example", "comfy.allow-insecure=true"),
				properties -> assertThat(properties.baseUrl()).isEqualTo("http://comfy.example"));
	}

	@ParameterizedTest
	@ValueSource(strings = { "0s", "99ms", "-1s", "60001ms", "1h" })
	void startWhenDeadlineIsOutOfBoundsFails(String deadline) {
		assertRejected(configured.withPropertyValues("comfy.connect-timeout=10ms", "comfy.deadline=" + deadline),
				"comfy.deadline");
	}

	@ParameterizedTest
	@ValueSource(strings = { "100ms", "60s" })
	void startWhenDeadlineIsAtItsBoundsSucceeds(String deadline) {
		configured.withPropertyValues("comfy.connect-timeout=100ms", "comfy.deadline=" + deadline)
			.run(context -> assertThat(context).hasNotFailed());
	}

	@ParameterizedTest
	@ValueSource(strings = { "0s", "9ms", "-1s", "2501ms" })
	void startWhenConnectTimeoutIsOutOfBoundsFails(String timeout) {
		assertRejected(configured.withPropertyValues("comfy.connect-timeout=" + timeout), "comfy.connect-timeout");
	}

	@ParameterizedTest
	@ValueSource(strings = { "10ms", "2500ms" })
	void startWhenConnectTimeoutIsAtItsBoundsSucceeds(String timeout) {
		configured.withPropertyValues("comfy.connect-timeout=" + timeout)
			.run(context -> assertThat(context).hasNotFailed());
	}

	@Test
	void startWhenPropertyIsUnknownFails() {
		configured.withPropertyValues("comfy.deadlines=3s").run(context -> assertThat(context).hasFailed());
	}

	@Test
	void toStringShowsNoKey() {
		properties(configured, properties -> assertThat(properties.toString()).doesNotContain("secret"));
	}

	private static void properties(ApplicationContextRunner runner, Consumer<ComfyProperties> assertions) {
		runner.run(context -> {
			assertThat(context).hasNotFailed();
			assertions.accept(context.getBean(ComfyProperties.class));
		});
	}

	private static void assertRejected(ApplicationContextRunner runner, String setting) {
		runner.run(context -> assertThat(context).getFailure()
			.rootCause()
			.isInstanceOf(InvalidSettingException.class)
			.hasMessageStartingWith(setting + " ")
			.message()
			.doesNotContain("secret"));
	}

	@Configuration(proxyBeanMethods = false)
	@EnableConfigurationProperties(ComfyProperties.class)
	static class Settings {

	}

}
