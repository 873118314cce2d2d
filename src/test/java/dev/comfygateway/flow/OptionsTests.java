package dev.comfygateway.flow;

import dev.comfygateway.support.GatewayErrors;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RawConnection.Response;
import dev.comfygateway.support.RunningGateway;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.web.server.LocalManagementPort;
import org.springframework.boot.test.web.server.LocalServerPort;

import static org.assertj.core.api.Assertions.assertThat;

/** Tests of OPTIONS for the server, for each path and for unknown paths. */
@RunningGateway
class OptionsTests {

	private static final String PREFLIGHT = "Origin: https://a.example\r\nAccess-Control-Request-Method: PUT\r\n";

	private final int port;

	private final int managementPort;

	OptionsTests(@LocalServerPort int port, @LocalManagementPort int managementPort) {
		this.port = port;
		this.managementPort = managementPort;
	}

	@ParameterizedTest
	@ValueSource(strings = { "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", "OPTIONS * HTTP/1.0\r\n\r\n",
			"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n" + PREFLIGHT + "\r\n",
			"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}" })
	void optionsOfServerListsMethods(String request) throws IOException {
		assertMethods(RawConnection.exchange(port, request));
		assertMethods(RawConnection.exchange(managementPort, request));
	}

	@ParameterizedTest
	@ValueSource(strings = { "/api/prompt", "/api/prompt?a=b", "/api/prompt/events", "/api/prompt/events?until=x",
			"/api/prompt/history", "/", "/page/page.js", "/page/status.json", "/livez", "/readyz", "/v3/api-docs",
			"/v3/api-docs.yaml", "/swagger-ui.html", "/swagger-ui/index.html", "http://elsewhere/api/prompt",
			"http://elsewhere" })
	void optionsOfPathListsMethods(String target) throws IOException {
		assertMethods(port, target);
	}

	@ParameterizedTest
	@ValueSource(strings = { "/actuator", "/actuator/health", "/actuator/health/liveness", "/actuator/info",
			"/actuator/prometheus", "/actuator/metrics", "/actuator/caches", "/actuator/sbom" })
	void managementOptionsOfPathListsMethods(String target) throws IOException {
		assertMethods(managementPort, target);
	}

	private static void assertMethods(int port, String target) throws IOException {
		assertMethods(RawConnection.exchange(port, RawConnection.request("OPTIONS", target)));
		assertMethods(RawConnection.exchange(port, RawConnection.request("OPTIONS", target, PREFLIGHT.strip())));
	}

	private static void assertMethods(Response response) {
		assertThat(response.status()).isIn(200, 204);
		assertThat(response.header("Allow")).hasValue("GET, HEAD, OPTIONS");
		assertThat(response.header("Accept-Patch")).isEmpty();
		assertThat(response.headerNames()).noneMatch(name -> name.startsWith("Access-Control"));
		assertThat(response.body()).isEmpty();
	}

	@ParameterizedTest
	@ValueSource(strings = { "/nope", "/api/prompt/nope", "/page/nope.js", "/webjars/nope", "/actuator/nope" })
	void optionsOfUnknownPathIsNotFound(String path) throws IOException {
		for (int each : List.of(port, managementPort)) {
			Response response = RawConnection.exchange(each, RawConnection.request("OPTIONS", path));
			assertThat(response.status()).isEqualTo(404);
			GatewayErrors.assertError(response, "NOT_FOUND");
			assertThat(response.headerNames()).doesNotContain("Allow", "Accept-Patch");
		}
	}

}
