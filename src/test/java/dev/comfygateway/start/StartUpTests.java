package dev.comfygateway.start;

import dev.comfygateway.ComfyGatewayApplication;
import dev.comfygateway.GatewayProperties;
import dev.comfygateway.simulator.Hold;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.support.GatewayProcess;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RawConnection.Response;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.context.properties.ConfigurationPropertiesScan;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.ComponentScan;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.FilterType;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;
import static org.junit.jupiter.params.provider.Arguments.arguments;

/**
 * Tests of the start of the gateway in this process. The output of a start that fails is
 * the report for the operator.
 */
@ExtendWith(OutputCaptureExtension.class)
class StartUpTests {

	private static final String KEY = "key-of-the-start-test";

	@TempDir
	private static Path directory;

	/** Beans that read the settings and reject invalid ones. */
	@Configuration(proxyBeanMethods = false)
	@ConfigurationPropertiesScan(basePackageClasses = ComfyGatewayApplication.class)
	@ComponentScan(basePackages = "dev.comfygateway.upstream", useDefaultFilters = false,
			includeFilters = @ComponentScan.Filter(type = FilterType.REGEX, pattern = ".*\\.ApiKeySource"))
	static class Settings {

	}

	static Stream<Arguments> invalidSettings() throws IOException {
		return Stream.of(
				arguments(
						"The setting comfy.api-key (environment variable COMFY_API_KEY) is set together with"
								+ " comfy.api-key-file",
						"Keep one of the two", "--comfy.api-key-file=" + file("both", KEY)),
				arguments("The setting comfy.api-key (environment variable COMFY_API_KEY) has more than one line",
						"Give one line", "--comfy.api-key=" + KEY + "\n" + KEY),
				arguments("The setting comfy.base-url (environment variable COMFY_BASE_URL) would send the key over"
						+ " plain http", "Use https", "--comfy.base-url=http://comfy.example"),
				arguments("The setting comfy.deadline (environment variable COMFY_DEADLINE) is 99ms",
						"Set it to a duration from 100ms to 60s.", "--comfy.deadline=99ms"),
				arguments("gateway.fresh-for", "'soon' is not a valid duration", "--gateway.fresh-for=soon"),
				arguments("Unknown settings: comfy.key.", "Correct the name", "--comfy.key=" + KEY));
	}

	@ParameterizedTest
	@MethodSource("invalidSettings")
	void startWhenSettingIsInvalidReportsTheAction(String message, String action, String argument,
			CapturedOutput output) {
		assertReported(output, message, argument);
		assertThat(output).contains(action);
	}

	static Stream<Arguments> unusableKeys() throws IOException {
		return Stream.of(arguments("comfy.api-key", "--comfy.api-key= "),
				arguments("comfy.api-key", "--comfy.api-key=" + KEY + " " + KEY),
				arguments("comfy.api-key", "--comfy.api-key=" + KEY + "\u00e4"),
				arguments("comfy.api-key", "--comfy.api-key=" + KEY.repeat(200)),
				arguments("comfy.api-key-file", "--comfy.api-key-file=" + KEY),
				arguments("comfy.api-key-file", "--comfy.api-key-file=" + directory.resolve("missing")),
				arguments("comfy.api-key-file", "--comfy.api-key-file=" + file("empty", "")),
				arguments("comfy.api-key-file", "--comfy.api-key-file=" + file("blank", " \n\n")),
				arguments("comfy.api-key-file", "--comfy.api-key-file=" + file("lines", KEY + "\n" + KEY + "\n")),
				arguments("comfy.api-key-file", "--comfy.api-key-file=" + file("umlaut", KEY + "\u00e4")),
				arguments("comfy.api-key-file", "--comfy.api-key-file=" + directory));
	}

	@ParameterizedTest
	@MethodSource("unusableKeys")
	void startWhenKeyIsUnusableNamesTheSetting(String setting, String argument, CapturedOutput output) {
		assertRejected(output, "The setting " + setting + " (", argument);
	}

	/** If the file itself is unusable, the report names the file and not its content. */
	@Test
	void startWhenKeyFileIsUnusableReportsTheAction(CapturedOutput output) {
		assertRejected(output, "does not exist", "--comfy.api-key-file=" + directory.resolve("none"));
		assertRejected(output, "mount the file there", "--comfy.api-key-file=" + directory.resolve("none"));
		assertRejected(output, "Name the file itself, not its directory", "--comfy.api-key-file=" + directory);
		assertThat(output).doesNotContain("visible ASCII");
	}

	@Test
	void startWhenSettingsAreValidSucceeds() {
		try (ConfigurableApplicationContext context = startWithValidSettings()) {
			assertThat(context.getBean(GatewayProperties.class).name()).isEqualTo("comfy-gateway");
		}
	}

	/** A failed start can leave logging without configuration. */
	@AfterAll
	static void restoreLogging() {
		startWithValidSettings().close();
	}

	private static ConfigurableApplicationContext startWithValidSettings() {
		SpringApplication application = new SpringApplication(Settings.class);
		application.setWebApplicationType(WebApplicationType.NONE);
		return application.run("--comfy.api-key=" + KEY);
	}

	@ParameterizedTest
	@ValueSource(strings = { "cloud.comfy.org", "ftp://cloud.comfy.org", "https://",
			"https://user:" + KEY + "@comfy.example", "https://comfy.example?key=" + KEY, "https://comfy.example/#x",
			"https://comfy.example:65536", "https:// x", "http://comfy.example", "http://127.0.0.1.example",
			"http://localhost.example", "http://0.0.0.0" })
	void startWhenAddressIsUnusableNamesTheSetting(String url, CapturedOutput output) {
		assertRejected(output, "The setting comfy.base-url (", "--comfy.api-key=" + KEY, "--comfy.base-url=" + url);
	}

	@ParameterizedTest
	@ValueSource(strings = { "comfy.deadline=99ms", "comfy.deadline=60001ms", "comfy.deadline=-1s",
			"comfy.connect-timeout=9ms", "comfy.connect-timeout=2501ms", "gateway.fresh-for=-1ms",
			"gateway.fresh-for=301s", "gateway.stale-while-revalidate=3601s", "gateway.stale-while-revalidate=-1s",
			"gateway.stale-if-error=86401s", "gateway.stale-if-error=-1s", "gateway.refresh-floor=2001ms",
			"gateway.refresh-floor=-1ms", "gateway.cooldown=99ms", "gateway.cooldown=31s", "gateway.max-cooldown=901s",
			"gateway.max-cooldown=99ms", "gateway.name=comfy gateway", "gateway.allowed-origins=comfy.example" })
	void startWhenOutOfBoundsNamesTheSetting(String setting, CapturedOutput output) {
		assertRejected(output, "The setting " + setting.substring(0, setting.indexOf('=')) + " (",
				"--comfy.api-key=" + KEY, "--" + setting);
	}

	@ParameterizedTest
	@ValueSource(strings = { "comfy.deadline=soon", "comfy.auth=basic", "comfy.allow-insecure=perhaps",
			"gateway.cooldown=1 fortnight" })
	void startWhenValueHasTheWrongTypeNamesTheSetting(String setting, CapturedOutput output) {
		assertRejected(output, "Property: " + setting.substring(0, setting.indexOf('=')), "--comfy.api-key=" + KEY,
				"--" + setting);
	}

	/**
	 * Settings of Spring Boot, of the server and of logging whose failures have no
	 * analyzer in Spring Boot.
	 */
	@ParameterizedTest
	@CsvSource(delimiter = '|', textBlock = """
			server.port=99999 | port out of range
			server.address=192.0.2.1 | Failed to bind to /192.0.2.1
			server.ssl.key-store=file:/none/store.p12 | Could not load store from 'file:/none/store.p12'
			server.ssl.bundle=none | No SSL bundle named 'none' is defined
			server.ssl.enabled=true | SSL is enabled but no trust material is configured
			server.jetty.threads.max=1 | max threads (1) less than min threads (4)
			server.jetty.threads.selectors=1000 | Insufficient configured threads: required=1003
			server.servlet.context-path=comfy | moves the gateway's paths, which are fixed
			spring.ssl.bundle.pem.a.truststore.certificate=file:/none/ca.pem | 'file:/none/ca.pem'
			spring.profiles.active=a,* | 'spring.profiles.active'
			spring.config.import=file:/none.yaml | file:/none.yaml
			spring.http.clients.reactive.connector=none | spring.http.clients.reactive.connector
			logging.level.root=loud | logging.level.root
			logging.structured.format.console=none | logging.structured.format.console
			logging.config=file:/none.xml | logging.config
			logging.charset.console=none such | logging.charset.console
			logging.logback.rollingpolicy.max-file-size=large | logging.logback.rollingpolicy.max-file-size
			""")
	void startWhenItFailsEndsWithAReport(String setting, String message, CapturedOutput output) {
		assertReported(output, message, "--" + setting);
	}

	@Test
	void reportOfAFailedStartContainsNoSecret(CapturedOutput output) {
		assertReported(output, "Error reading certificate",
				"--server.ssl.certificate=-----BEGIN CERTIFICATE-----" + KEY,
				"--server.ssl.certificate-private-key=-----BEGIN PRIVATE KEY-----" + KEY);
	}

	private static void assertReported(CapturedOutput output, String message, String... arguments) {
		SpringApplication application = new SpringApplication(ComfyGatewayApplication.class);
		application
			.setDefaultProperties(Map.of("server.port", "0", "management.server.port", "0", "comfy.api-key", KEY));
		assertThatException().isThrownBy(() -> application.run(arguments).close());
		assertThat(output).contains("APPLICATION FAILED TO START", message).doesNotContain("\tat ", KEY);
	}

	private static void assertRejected(CapturedOutput output, String message, String... arguments) {
		SpringApplication application = new SpringApplication(Settings.class);
		application.setWebApplicationType(WebApplicationType.NONE);
		List<String> all = new ArrayList<>(List.of("--spring.main.banner-mode=off"));
		all.addAll(List.of(arguments));
		assertThatException().isThrownBy(() -> application.run(all.toArray(String[]::new)).close());
		assertThat(output).contains("APPLICATION FAILED TO START", message).doesNotContain(KEY);
	}

	@ParameterizedTest
	@CsvSource({ "spring.data.redis.timeout=626ms,spring.data.redis.timeout",
			"spring.data.redis.connect-timeout=1s,spring.data.redis.connect-timeout",
			"spring.data.redis.timeout=0s,spring.data.redis.timeout",
			"spring.data.redis.url=redis.example:6379/" + KEY + ",spring.data.redis.url",
			"spring.data.redis.url=http://user:" + KEY + "@redis.example,spring.data.redis.url",
			"'spring.data.redis.url=redis://user:" + KEY + " @redis.example',spring.data.redis.url",
			"spring.data.redis.masterreplica.nodes=127.0.0.1:6379,spring.data.redis.masterreplica.nodes" })
	void startWhenRedisSettingIsInvalidNamesIt(String argument, String setting, CapturedOutput output) {
		SpringApplication application = new SpringApplication(ComfyGatewayApplication.class);
		assertThatException().isThrownBy(
				() -> application
					.run("--server.port=0", "--management.server.port=0", "--comfy.api-key=k", "--gateway.fleet=redis",
							"--" + argument)
					.close());
		assertThat(output).contains("APPLICATION FAILED TO START", "The setting " + setting + " (").doesNotContain(KEY);
	}

	private static String file(String name, String content) throws IOException {
		return Files.write(directory.resolve(name), content.getBytes(StandardCharsets.UTF_8)).toString();
	}

}
