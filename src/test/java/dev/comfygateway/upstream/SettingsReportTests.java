package dev.comfygateway.upstream;

import dev.comfygateway.support.GatewaySettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.core.env.StandardEnvironment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;

class SettingsReportTests {

	private final ComfyCloudClient client = mock(ComfyCloudClient.class);

	@BeforeEach
	void useNoProxy() {
		when(client.proxy()).thenReturn(Optional.empty());
	}

	@Test
	void effectiveSettingsHasTheSettingsWithoutTheKey() {
		assertThat(report("secret", null, ComfyProperties.Auth.API_KEY)).isEqualTo(
				"Upstream https://comfy.example, key from comfy.api-key; connect timeout 1s, deadline 2500ms, fresh for"
						+ " 2s, stale while revalidating 3s, stale if error 30s, refresh floor 500ms, cool-down 1s to 30s");
	}

	@Test
	void effectiveSettingsWhenKeyIsInFileNamesTheSettingOnly() {
		assertThat(report(null, Path.of("/secret"), ComfyProperties.Auth.API_KEY))
			.contains("key from the file in comfy.api-key-file")
			.doesNotContain("/secret");
	}

	@Test
	void effectiveSettingsWhenNoKeyIsSentHasNoKey() {
		assertThat(report(null, null, ComfyProperties.Auth.NONE)).contains("no key is sent");
	}

	@Test
	void effectiveSettingsWhenFleetIsEnabledNamesIt() {
		assertThat(report("secret", null, ComfyProperties.Auth.API_KEY, "fleet=redis"))
			.endsWith("cool-down 1s to 30s, fleet through Redis");
	}

	@Test
	void effectiveSettingsWhenThereIsAnOutboundProxyNamesIt() {
		when(client.proxy()).thenReturn(Optional.of("squid:3128"));
		assertThat(report("secret", null, ComfyProperties.Auth.API_KEY))
			.startsWith("Upstream https://comfy.example through the outbound proxy squid:3128, key from");
	}

	@ParameterizedTest
	@ValueSource(strings = { "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "COMFY_KEY",
			"COMFY_APIKEYS", "COMFY_API_KEY_FILES", "GATEWAY_TTL", "GATEWAY_FRESH_FOR_SECONDS", "GATEWAY_PAGE",
			"GATEWAY_PAGE_SIZE" })
	void unknownWhenVariableNamesNoSettingNamesIt(String name) {
		assertThat(SettingsReport.unknown(Set.of(name, "PATH", "COMFYUI_HOME"))).containsExactly(name);
	}

	@ParameterizedTest
	@ValueSource(strings = { "COMFY_API_KEY", "COMFY_APIKEY", "COMFY_API_KEY_FILE", "COMFY_BASE_URL", "COMFY_AUTH",
			"COMFY_ALLOW_INSECURE", "COMFY_CONNECT_TIMEOUT", "COMFY_DEADLINE", "GATEWAY_NAME", "GATEWAY_FRESH_FOR",
			"GATEWAY_FRESHFOR", "GATEWAY_MAX_WAITING", "GATEWAY_EVENTS_MAX_LISTENERS", "GATEWAY_EVENTS_MAXLISTENERS",
			"GATEWAY_FLEET", "GATEWAY_PAGE_ENABLED", "GATEWAY_ALLOWED_ORIGINS", "GATEWAY_ALLOWED_ORIGINS_0",
			"COMFY_GATEWAY_SERVICE_HOST", "COMFY_GATEWAY_SERVICE_PORT", "COMFY_GATEWAY_SERVICE_PORT_HTTP",
			"COMFY_GATEWAY_PORT", "COMFY_GATEWAY_PORT_8080_TCP", "COMFY_GATEWAY_PORT_8080_TCP_ADDR",
			"GATEWAY_SERVICE_HOST", "SERVER_PORT" })
	void unknownWhenVariableIsASettingOrOfKubernetesIsEmpty(String name) {
		assertThat(SettingsReport.unknown(Set.of(name))).isEmpty();
	}

	private String report(@Nullable String key, @Nullable Path file, ComfyProperties.Auth auth, String... settings) {
		return new SettingsReport(new ComfyProperties(key, file, "https://comfy.example", auth, false,
				Duration.ofSeconds(1), Duration.ofMillis(2500)), GatewaySettings.with(settings), client,
				new StandardEnvironment())
			.effectiveSettings();
	}

}
