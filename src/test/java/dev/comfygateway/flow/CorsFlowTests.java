package dev.comfygateway.flow;

import dev.comfygateway.support.GatewayErrors;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RawConnection.Response;
import dev.comfygateway.support.RunningGateway;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalManagementPort;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.context.TestPropertySource;

import static org.assertj.core.api.Assertions.assertThat;

@RunningGateway
@TestPropertySource(properties = "gateway.allowed-origins=https://dashboard.example,http://localhost:3000")
class CorsFlowTests {

	private static final String ORIGIN = "Origin: https://dashboard.example";

	private static final String OTHER_ORIGIN = "Origin: https://elsewhere.example";

	private final int port;

	private final int managementPort;

	@Autowired
	CorsFlowTests(@LocalServerPort int port, @LocalManagementPort int managementPort) {
		this.port = port;
		this.managementPort = managementPort;
	}

	@Test
	void responseWhenOriginIsAllowedHasCorsHeaders() throws IOException {
		Response response = get(ORIGIN);
		assertThat(response.status()).isEqualTo(200);
		assertThat(response.header("Access-Control-Allow-Origin")).hasValue("https://dashboard.example");
		assertThat(response.header("Access-Control-Expose-Headers").orElseThrow().split(", ")).contains("Age",
				"Cache-Status", "ETag", "Proxy-Status", "Retry-After");
		assertThat(response.header("Access-Control-Allow-Credentials")).isEmpty();
		assertThat(response.header("Vary").orElseThrow()).contains("Origin");
	}

	@Test
	void responseWhenCachedAndOriginIsAllowedAllowsOrigin() throws IOException {
		get();
		Response response = get("Origin: http://localhost:3000");
		assertThat(response.header("Cache-Status")).hasValue("comfy-gateway; hit; ttl=2");
		assertThat(response.header("Access-Control-Allow-Origin")).hasValue("http://localhost:3000");
	}

	@Test
	void errorWhenOriginIsAllowedAllowsOrigin() throws IOException {
		Response response = get(ORIGIN, "Cache-Control: only-if-cached");
		GatewayErrors.assertError(response, "NOT_CACHED");
		assertThat(response.header("Access-Control-Allow-Origin")).hasValue("https://dashboard.example");
	}

	@Test
	void responseWhenOriginIsAbsentHasVary() throws IOException {
		Response response = get();
		assertThat(response.header("Access-Control-Allow-Origin")).isEmpty();
		assertThat(response.header("Vary").orElseThrow()).contains("Origin");
	}

	@ParameterizedTest
	@ValueSource(strings = { OTHER_ORIGIN, "Origin: null", "Origin: ::::",
			"Origin: https://dashboard.example.elsewhere", "Origin: http://dashboard.example" })
	void responseWhenOriginIsNotAllowedDoesNotAllowIt(String origin) throws IOException {
		Response response = get(origin);
		assertThat(response.status()).isEqualTo(200);
		assertThat(response.body()).contains("queue_remaining");
		assertThat(response.header("Access-Control-Allow-Origin")).isEmpty();
	}

	@Test
	void preflightWhenOriginIsAllowedHasCorsHeaders() throws IOException {
		Response response = preflight(ORIGIN);
		assertThat(response.status()).isEqualTo(204);
		assertThat(response.header("Access-Control-Allow-Origin")).hasValue("https://dashboard.example");
		assertThat(response.header("Access-Control-Allow-Methods").orElseThrow()).contains("GET", "HEAD");
		assertThat(response.header("Access-Control-Allow-Headers")).hasValue("if-none-match, cache-control");
		assertThat(response.header("Access-Control-Max-Age")).isPresent();
		assertThat(response.header("Allow")).hasValue("GET, HEAD, OPTIONS");
	}

	@Test
	void preflightWhenOriginIsNotAllowedHasNoCorsHeaders() throws IOException {
		Response response = preflight(OTHER_ORIGIN);
		assertThat(response.status()).isEqualTo(204);
		assertThat(response.headerNames()).noneMatch(name -> name.startsWith("Access-Control"));
	}

	@ParameterizedTest
	@ValueSource(strings = { "/livez", "/v3/api-docs" })
	void responseWhenPathIsNotPromptHasNoCorsHeaders(String path) throws IOException {
		assertThat(RawConnection.get(port, path, ORIGIN).headerNames())
			.noneMatch(name -> name.startsWith("Access-Control"));
	}

	@Test
	void managementResponseHasNoCorsHeaders() throws IOException {
		assertThat(RawConnection.get(managementPort, "/actuator/health", ORIGIN).headerNames())
			.noneMatch(name -> name.startsWith("Access-Control"));
	}

	@ParameterizedTest
	@CsvSource({ "GET, /api/prompt, 200", "HEAD, /api/prompt, 200", "GET, /api/prom%70t, 200",
			"GET, /api/prompt;a=b, 200", "GET, /api/prompt/history, 200", "HEAD, /api/prompt/events, 200",
			"HEAD, /api/prompt/%65vents, 200", "POST, /api/prompt, 405", "POST, /api/prompt/history, 405",
			"POST, /api/prompt/events, 405", "TRACE, /api/prompt/events, 405", "GET, /api/prompt/events?until=x, 400" })
	void everyPromptResponseHasCorsHeaders(String method, String target, int status) throws IOException {
		Response response = RawConnection.exchange(port, RawConnection.request(method, target, ORIGIN));
		assertThat(response.status()).isEqualTo(status);
		assertThat(response.header("Access-Control-Allow-Origin")).hasValue("https://dashboard.example");
		assertThat(response.header("Access-Control-Expose-Headers"))
			.hasValue("Age, Cache-Status, ETag, Proxy-Status, Retry-After");
		assertThat(response.header("Access-Control-Allow-Credentials")).isEmpty();
		assertThat(response.header("Vary")).hasValue("Origin");
		Response other = RawConnection.exchange(port, RawConnection.request(method, target, OTHER_ORIGIN));
		assertThat(other.status()).isEqualTo(status);
		assertThat(other.headerNames()).noneMatch(name -> name.startsWith("Access-Control"));
		assertThat(other.header("Vary")).hasValue("Origin");
	}

	@ParameterizedTest
	@ValueSource(strings = { "/api/prompt", "/api/prompt/events", "/api/prompt/history" })
	void everyPromptPreflightHasCorsHeaders(String path) throws IOException {
		Response response = RawConnection.exchange(port, RawConnection.request("OPTIONS", path, ORIGIN,
				"Access-Control-Request-Method: GET", "Access-Control-Request-Headers: cache-control,last-event-id"));
		assertThat(response.status()).isIn(200, 204);
		assertThat(response.header("Access-Control-Allow-Origin")).hasValue("https://dashboard.example");
		assertThat(response.header("Access-Control-Allow-Methods")).hasValue("GET, HEAD");
		assertThat(response.header("Access-Control-Allow-Headers")).hasValue("cache-control, last-event-id");
		assertThat(response.header("Access-Control-Max-Age")).hasValue("3600");
		assertThat(response.header("Vary")).hasValue("Origin");
		assertThat(response.header("Allow")).hasValue("GET, HEAD, OPTIONS");
	}

	private Response get(String... headers) throws IOException {
		return RawConnection.get(port, "/api/prompt", headers);
	}

	private Response preflight(String origin) throws IOException {
		return RawConnection.exchange(port, RawConnection.request("OPTIONS", "/api/prompt", origin,
				"Access-Control-Request-Method: GET", "Access-Control-Request-Headers: if-none-match, cache-control"));
	}

}
