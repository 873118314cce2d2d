package dev.comfygateway.flow;

import dev.comfygateway.support.ErrorAnswers;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RawConnection.Answer;
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
		Answer answer = get(ORIGIN);
		assertThat(answer.status()).isEqualTo(200);
		assertThat(answer.header("Access-Control-Allow-Origin")).hasValue("https://dashboard.example");
		assertThat(answer.header("Access-Control-Expose-Headers").orElseThrow().split(", ")).contains("Age",
				"Cache-Status", "ETag", "Proxy-Status", "Retry-After");
		assertThat(answer.header("Access-Control-Allow-Credentials")).isEmpty();
		assertThat(answer.header("Vary").orElseThrow()).contains("Origin");
	}

	@Test
	void responseWhenCachedAndOriginIsAllowedAllowsOrigin() throws IOException {
		get();
		Answer answer = get("Origin: http://localhost:3000");
		assertThat(answer.header("Cache-Status")).hasValue("comfy-gateway; hit; ttl=2");
		assertThat(answer.header("Access-Control-Allow-Origin")).hasValue("http://localhost:3000");
	}

	@Test
	void errorWhenOriginIsAllowedAllowsOrigin() throws IOException {
		Answer answer = get(ORIGIN, "Cache-Control: only-if-cached");
		ErrorAnswers.assertError(answer, "NOT_CACHED");
		assertThat(answer.header("Access-Control-Allow-Origin")).hasValue("https://dashboard.example");
	}

	@Test
	void responseWhenOriginIsAbsentHasVary() throws IOException {
		Answer answer = get();
		assertThat(answer.header("Access-Control-Allow-Origin")).isEmpty();
		assertThat(answer.header("Vary").orElseThrow()).contains("Origin");
	}

	@ParameterizedTest
	@ValueSource(strings = { OTHER_ORIGIN, "Origin: null", "Origin: ::::",
			"Origin: https://dashboard.example.elsewhere", "Origin: http://dashboard.example" })
	void responseWhenOriginIsNotAllowedDoesNotAllowIt(String origin) throws IOException {
		Answer answer = get(origin);
		assertThat(answer.status()).isEqualTo(200);
		assertThat(answer.body()).contains("queue_remaining");
		assertThat(answer.header("Access-Control-Allow-Origin")).isEmpty();
	}

	@Test
	void preflightWhenOriginIsAllowedHasCorsHeaders() throws IOException {
		Answer answer = preflight(ORIGIN);
		assertThat(answer.status()).isEqualTo(204);
		assertThat(answer.header("Access-Control-Allow-Origin")).hasValue("https://dashboard.example");
		assertThat(answer.header("Access-Control-Allow-Methods").orElseThrow()).contains("GET", "HEAD");
		assertThat(answer.header("Access-Control-Allow-Headers")).hasValue("if-none-match, cache-control");
		assertThat(answer.header("Access-Control-Max-Age")).isPresent();
		assertThat(answer.header("Allow")).hasValue("GET, HEAD, OPTIONS");
	}

	@Test
	void preflightWhenOriginIsNotAllowedHasNoCorsHeaders() throws IOException {
		Answer answer = preflight(OTHER_ORIGIN);
		assertThat(answer.status()).isEqualTo(204);
		assertThat(answer.headerNames()).noneMatch(name -> name.startsWith("Access-Control"));
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
		Answer answer = RawConnection.exchange(port, RawConnection.request(method, target, ORIGIN));
		assertThat(answer.status()).isEqualTo(status);
		assertThat(answer.header("Access-Control-Allow-Origin")).hasValue("https://dashboard.example");
		assertThat(answer.header("Access-Control-Expose-Headers"))
			.hasValue("Age, Cache-Status, ETag, Proxy-Status, Retry-After");
		assertThat(answer.header("Access-Control-Allow-Credentials")).isEmpty();
		assertThat(answer.header("Vary")).hasValue("Origin");
		Answer other = RawConnection.exchange(port, RawConnection.request(method, target, OTHER_ORIGIN));
		assertThat(other.status()).isEqualTo(status);
		assertThat(other.headerNames()).noneMatch(name -> name.startsWith("Access-Control"));
		assertThat(other.header("Vary")).hasValue("Origin");
	}

	@ParameterizedTest
	@ValueSource(strings = { "/api/prompt", "/api/prompt/events", "/api/prompt/history" })
	void everyPromptPreflightHasCorsHeaders(String path) throws IOException {
		Answer answer = RawConnection.exchange(port, RawConnection.request("OPTIONS", path, ORIGIN,
				"Access-Control-Request-Method: GET", "Access-Control-Request-Headers: cache-control,last-event-id"));
		assertThat(answer.status()).isIn(200, 204);
		assertThat(answer.header("Access-Control-Allow-Origin")).hasValue("https://dashboard.example");
		assertThat(answer.header("Access-Control-Allow-Methods")).hasValue("GET, HEAD");
		assertThat(answer.header("Access-Control-Allow-Headers")).hasValue("cache-control, last-event-id");
		assertThat(answer.header("Access-Control-Max-Age")).hasValue("3600");
		assertThat(answer.header("Vary")).hasValue("Origin");
		assertThat(answer.header("Allow")).hasValue("GET, HEAD, OPTIONS");
	}

	private Answer get(String... headers) throws IOException {
		return RawConnection.get(port, "/api/prompt", headers);
	}

	private Answer preflight(String origin) throws IOException {
		return RawConnection.exchange(port, RawConnection.request("OPTIONS", "/api/prompt", origin,
				"Access-Control-Request-Method: GET", "Access-Control-Request-Headers: if-none-match, cache-control"));
	}

}
