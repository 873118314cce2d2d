package dev.comfygateway.process;

import dev.comfygateway.simulator.Behaviour;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.support.GatewayProcess;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RawConnection.Response;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests of a gateway in a locale with other digits, or with other rules for upper and
 * lower case.
 */
class LocaleIT {

	private static final String KEY = "key-of-the-locale-test";

	private static final String UTF_8 = " -Dfile.encoding=UTF-8 -Dstdout.encoding=UTF-8 -Dstderr.encoding=UTF-8";

	private static final Pattern OTHER_DIGIT = Pattern.compile("[\\p{Nd}&&[^0-9]]");

	private static final List<String> PATHS = List.of("/api/prompt", "/api/prompt/history", "/none",
			"/page/status.json", "/", "/livez", "/v3/api-docs", "/v3/api-docs.yaml", "/v3/api-docs/swagger-config");

	private static final List<String> OPERATORS = List.of("/actuator/health", "/actuator/prometheus", "/actuator/info",
			"/actuator/metrics/comfy.gateway.requests", "/actuator/caches");

	@ParameterizedTest
	@ValueSource(strings = { "-Duser.language=ar -Duser.country=EG",
			"-Duser.language=th -Duser.country=TH -Duser.extensions=u-nu-thai",
			"-Duser.language=tr -Duser.country=TR" })
	void textsInAnyLocaleHaveAsciiDigits(String locale) throws Exception {
		try (SimulatedComfyCloud upstream = SimulatedComfyCloud.start(0, KEY);
				GatewayProcess gateway = GatewayProcess
					.start(Map.of("COMFY_API_KEY", KEY, "COMFY_BASE_URL", upstream.baseUrl(), "JAVA_TOOL_OPTIONS",
							locale + UTF_8, "SERVER_JETTY_ACCESSLOG_ENABLED", "true"))) {
			gateway.awaitStart();
			for (String path : PATHS) {
				assertAsciiDigits(gateway.port(), path);
			}
			for (String path : OPERATORS) {
				assertAsciiDigits(gateway.managementPort(), path);
			}
			upstream.behave(Behaviour.UNAVAILABLE);
			assertAsciiDigits(gateway.port(), "/api/prompt", "Cache-Control: no-cache");
			gateway.awaitOutput("cool-down 1s to 30s");
			gateway.terminate();
			gateway.awaitExit();
			assertThat(gateway.output()).doesNotContainPattern(OTHER_DIGIT);
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "-Duser.language=ar -Duser.country=EG", "-Duser.language=tr -Duser.country=TR" })
	void failureReportInAnyLocaleHasAsciiDigits(String locale) throws Exception {
		try (GatewayProcess gateway = GatewayProcess.start(
				Map.of("COMFY_API_KEY", KEY, "GATEWAY_MAX_WAITING", "100001", "JAVA_TOOL_OPTIONS", locale + UTF_8))) {
			assertThat(gateway.awaitExit()).isEqualTo(1);
			assertThat(gateway.output()).doesNotContainPattern(OTHER_DIGIT)
				.contains("The setting gateway.max-waiting (environment variable GATEWAY_MAX_WAITING) is 100001",
						"from 1 to 100000");
		}
	}

	private static Response assertAsciiDigits(int port, String path, String... headers) throws IOException {
		Response response = RawConnection.get(port, path, headers);
		assertThat(utf8(response.headers() + response.body())).as(path).isNotEmpty().doesNotContainPattern(OTHER_DIGIT);
		return response;
	}

	private static String utf8(String bytes) {
		return new String(bytes.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
	}

}
