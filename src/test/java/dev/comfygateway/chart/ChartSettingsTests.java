package dev.comfygateway.chart;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;

/**
 * Tests of what reaches the gateway as a setting: all that it knows, nothing that is
 * mistyped, and never the key.
 */
class ChartSettingsTests {

	private static final String KEY = "key-of-this-test";

	private static final String SECRET = "hidden-in-this-test";

	/** Settings as the compiler found them in the code, but for the key's. */
	static Stream<String> settings() throws IOException {
		Path metadata = Path.of("target/classes/META-INF/spring-configuration-metadata.json");
		List<String> names = new JsonMapper().readTree(Files.readString(metadata))
			.at("/properties")
			.valueStream()
			.map(property -> property.at("/name").asString())
			.filter(name -> !name.startsWith("comfy.api-key"))
			.toList();
		assertThat(names).contains("comfy.deadline", "gateway.fresh-for");
		return names.stream();
	}

	@ParameterizedTest
	@MethodSource("settings")
	void settingOfTheGatewayPasses(String name) {
		assertThat(Chart.render("settings.%s=3s".formatted(name.replace(".", "\\."))).environment())
			.contains(name.toUpperCase(Locale.ROOT).replaceAll("[.-]", "_") + "=3s");
	}

	@ParameterizedTest
	@MethodSource("settings")
	void settingWhenMistypedIsRefused(String name) {
		String mistyped = name + "s";
		assertRefused(mistyped, "settings.%s=3s".formatted(mistyped.replace(".", "\\.")));
	}

	@ParameterizedTest
	@ValueSource(strings = { "spring.http.clients.ssl.bundle", "server.jetty.accesslog.enabled",
			"management.tracing.sampling.probability", "logging.level.root", "springdoc.api-docs.enabled",
			"otel.exporter.otlp.endpoint", "debug" })
	void settingOfSpringBootPasses(String name) {
		assertThat(Chart.render("settings.%s=true".formatted(name.replace(".", "\\."))).environment()).hasSize(2);
	}

	@ParameterizedTest
	@ValueSource(strings = { "gatway.fresh-for", "sever.port", "loging.level.root", "comfy", "gateway", "spring",
			"gateway.freshFor", "gateway.fresh_for", "gateway.fresh-for.x", "springs.x", "spring.application.json",
			"server.servlet.context-path", "management.server.base-path" })
	void settingWhenNobodysIsRefused(String name) {
		assertRefused(name, "settings.%s=x".formatted(name.replace(".", "\\.")));
	}

	@ParameterizedTest
	@ValueSource(
			strings = { "SERVER_PORT", "server.http2.enabled", "management.server.port", "SPRING_APPLICATION_JSON" })
	void variableWhenItIsTheChartsIsRefused(String name) {
		assertRefused(name + " cannot be set", "extraEnv[0].name=" + name, "extraEnv[0].value=x");
	}

	@ParameterizedTest
	@ValueSource(strings = { "--gateway.fresh-for=3s", "--comfy.deadlin=3s", "--server.port=80" })
	void argumentWhenItIsASettingIsRefused(String argument) {
		assertRefused(argument.replaceAll("--|=.*", ""), "extraArgs[0]=" + argument);
	}

	@ParameterizedTest
	@ValueSource(strings = { "comfy\\.api-key", "comfy\\.api\\.key", "comfy\\.apiKey", "comfy\\.apikey",
			"COMFY_API_KEY", "COMFY_APIKEY", "comfy\\.api_key", "Comfy\\.Api-Key", "comfy\\.a-p-i-key", "comfy-api-key",
			"comfy\\.api-key\\.x", "spring\\.application\\.json", "x\\.comfy\\.api-key" })
	void keyWhenItIsASettingIsRefused(String name) {
		assertKeyRefused("settings.%s=%s".formatted(name, KEY));
	}

	@ParameterizedTest
	@ValueSource(strings = { "COMFY_API_KEY", "COMFY_APIKEY", "comfy_api_key", "comfy.api-key", "comfy.apiKey",
			"comfy.api.key", "COMFY_API_KEY_FILE" })
	void keyWhenItIsAVariablesValueIsRefused(String name) {
		assertKeyRefused("extraEnv[0].name=" + name, "extraEnv[0].value=" + KEY);
	}

	@ParameterizedTest
	@ValueSource(strings = { "-Dcomfy.api-key=" + KEY, "-Dcomfy.apiKey=" + KEY, "-Dx -DCOMFY.API_KEY=" + KEY })
	void keyWhenItIsWithinAValueIsRefused(String value) {
		assertKeyRefused("extraEnv[0].name=JAVA_TOOL_OPTIONS", "extraEnv[0].value=" + value);
		assertKeyRefused("settings.java\\.tool\\.options=" + value);
	}

	@ParameterizedTest
	@ValueSource(strings = { "--comfy.api-key=" + KEY, "--comfy.apiKey=" + KEY, "--COMFY_API_KEY=" + KEY,
			"--comfy.api.key=" + KEY, "--spring.application.json=" + KEY })
	void keyWhenItIsAnArgumentIsRefused(String argument) {
		assertKeyRefused("extraArgs[0]=" + argument);
	}

	@Test
	void keyWhenItIsInAConfigMapIsRefused() {
		assertKeyRefused("extraEnv[0].name=COMFY_API_KEY", "extraEnv[0].valueFrom.configMapKeyRef.name=comfy",
				"extraEnv[0].valueFrom.configMapKeyRef.key=" + KEY);
	}

	@Test
	void keyWhenItIsAVariableOfASecretIsNotMounted() {
		Chart.Manifests manifests = Chart.render(Chart.DIRECTORY.resolve("ci/key-from-variable-values.yaml"));
		assertThat(manifests.container().at("/env").valueStream().map(JsonNode::toString)).containsExactly(
				"{\"name\":\"COMFY_API_KEY\",\"valueFrom\":{\"secretKeyRef\":{\"key\":\"key\",\"name\":\"comfy\"}}}");
		assertThat(manifests.pod().at("/spec/volumes")).hasSize(1);
	}

	@Test
	void keyWhenItIsAFileOfAnotherVolumeIsNotMounted() {
		Chart.Manifests manifests = Chart.render("extraEnv[0].name=COMFY_API_KEY_FILE",
				"extraEnv[0].value=/vault/secrets/comfy", "apiKey.value=unused");
		assertThat(manifests.environment()).containsExactly("COMFY_API_KEY_FILE=/vault/secrets/comfy");
		assertThat(manifests.pod().at("/spec/volumes")).hasSize(1);
		assertThat(manifests.of("Secret")).isEmpty();
		assertThat(Chart.notes("extraEnv[0].name=COMFY_API_KEY_FILE", "extraEnv[0].value=/vault/secrets/comfy"))
			.contains("extraEnv")
			.doesNotContain("kubectl --namespace comfy create secret");
	}

	@ParameterizedTest
	@ValueSource(strings = { "server\\.ssl\\.key-password", "server\\.ssl\\.key-store-password",
			"spring\\.ssl\\.bundle\\.jks\\.x\\.key\\.password",
			"spring\\.ssl\\.bundle\\.pem\\.x\\.keystore\\.private-key", "spring\\.security\\.user\\.password",
			"spring\\.cloud\\.vault\\.token", "spring\\.x\\.client-secret",
			"management\\.newrelic\\.metrics\\.export\\.api-key", "management\\.x\\.application-key",
			"management\\.x\\.access-key", "otel\\.exporter\\.otlp\\.headers",
			"management\\.opentelemetry\\.tracing\\.export\\.otlp\\.headers\\.authorization", "spring\\.x\\.passphrase",
			"spring\\.x\\.credentials" })
	void secretWhenItIsASettingIsRefused(String name) {
		assertSecretRefused("settings.%s=%s".formatted(name, SECRET));
		assertSecretRefused("settings.%s=/%s".formatted(name, SECRET));
		assertSecretRefused("settings.%s=${X:%s}".formatted(name, SECRET));
		assertThat(Chart.render("settings.%s=${SOME_VARIABLE}".formatted(name)).environment()).hasSize(2);
	}

	@ParameterizedTest
	@ValueSource(strings = { "SERVER_SSL_KEY_PASSWORD", "server.ssl.keyPassword", "DB_PASSWORD", "GITHUB_TOKEN",
			"AWS_SECRET_ACCESS_KEY", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "SOME_API_KEY",
			"PRIVATE_KEY", "AWS_WEB_IDENTITY_TOKEN_FILE" })
	void secretWhenItIsAVariablesValueIsRefused(String name) {
		assertSecretRefused("extraEnv[0].name=" + name, "extraEnv[0].value=" + SECRET);
		assertSecretRefused("extraEnv[0].name=" + name, "extraEnv[0].valueFrom.configMapKeyRef.name=comfy",
				"extraEnv[0].valueFrom.configMapKeyRef.key=" + SECRET);
		assertThat(Chart
			.render("extraEnv[0].name=" + name, "extraEnv[0].valueFrom.secretKeyRef.name=comfy",
					"extraEnv[0].valueFrom.secretKeyRef.key=x")
			.environment()).contains(name + "=");
	}

	@ParameterizedTest
	@ValueSource(strings = { "-Djavax.net.ssl.trustStorePassword=" + SECRET, "-Dx=y -Dhttps.proxyPassword=" + SECRET,
			"https://user:" + SECRET + "@proxy.example.com", "https://" + SECRET + "@proxy.example.com",
			"-----BEGIN PRIVATE KEY-----" + SECRET, "--server.ssl.key-password=" + SECRET })
	void secretWhenItIsWithinAValueIsRefused(String value) {
		assertSecretRefused("extraEnv[0].name=JAVA_TOOL_OPTIONS", "extraEnv[0].value=" + value);
		assertSecretRefused("settings.java\\.tool\\.options=" + value);
		assertSecretRefused("extraArgs[0]=" + value);
	}

	@ParameterizedTest
	@ValueSource(strings = { "spring\\.ssl\\.bundle\\.pem\\.x\\.keystore\\.private-key=file:/etc/tls/tls.key",
			"spring\\.x\\.token-uri=https://auth.example.com/token",
			"spring\\.x\\.private-key-location=/etc/tls/tls.key", "spring\\.x\\.token-relay\\.enabled=true",
			"logging\\.level\\.org\\.example\\.token=debug", "server\\.ssl\\.key-alias=gateway",
			"server\\.ssl\\.key-store=/etc/tls/store.p12", "spring\\.config\\.import=configtree:/run/secrets/",
			"otel\\.exporter\\.otlp\\.endpoint=http://collector:4318",
			"comfy\\.base-url=https://cloud.example.com/a@b" })
	void settingWhenItIsNoSecretPasses(String setting) {
		assertThat(Chart.render("settings." + setting).environment()).hasSize(2);
	}

	@ParameterizedTest
	@CsvSource({ "AWS_WEB_IDENTITY_TOKEN_FILE, /var/run/secrets/token", "VAULT_PATH, secret/comfy-api-key",
			"VAULT_SECRET_PATH, secret/data/comfy", "SECRET_NAME, comfy-api-key", "PROXY_HOST, comfyapikey" })
	void variableWhenItNamesTheSecretPasses(String name, String value) {
		assertThat(Chart.render("extraEnv[0].name=" + name, "extraEnv[0].value=" + value).environment())
			.contains(name + "=" + value);
	}

	private static void assertSecretRefused(String... values) {
		assertThatException().isThrownBy(() -> Chart.render(values))
			.satisfies(refused -> assertThat(refused.getMessage()).contains("secret", "valueFrom.secretKeyRef")
				.doesNotContain(SECRET));
	}

	private static void assertRefused(String named, String... values) {
		assertThatException().isThrownBy(() -> Chart.render(values)).withMessageContaining(named);
	}

	private static void assertKeyRefused(String... values) {
		assertThatException().isThrownBy(() -> Chart.render(values))
			.satisfies(refused -> assertThat(refused.getMessage())
				.containsAnyOf("propertyName", "settings", "extraEnv", "extraArgs", "cannot be set")
				.doesNotContain(KEY));
	}

}
