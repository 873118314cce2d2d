package dev.comfygateway.flow;

import dev.comfygateway.simulator.Hold;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.support.GatewayErrors;
import dev.comfygateway.support.FakeTime;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RawConnection.Response;
import dev.comfygateway.support.RunningGateway;
import dev.comfygateway.support.WaitingCallers;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalManagementPort;
import org.springframework.boot.test.web.server.LocalServerPort;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

@RunningGateway
public class MalformedRequestTests {

	private static final String HOST = "Host: localhost\r\n";

	/** Callers whose bodies never arrive: more than Jetty has threads. */
	private static final int CALLERS = 24;

	private final int port;

	private final int managementPort;

	private final SimulatedComfyCloud upstream;

	MalformedRequestTests(@LocalServerPort int port, @LocalManagementPort int managementPort,
			@Autowired SimulatedComfyCloud upstream) {
		this.port = port;
		this.managementPort = managementPort;
		this.upstream = upstream;
	}

	/** Malformed requests: description, request, expected status and code. */
	public static Stream<Arguments> malformed() {
		return Stream.of(rejected("TLS instead of HTTP", "\u0016\u0003\u0001\u0002\u0000\r\n\r\n"),
				arguments("not a request line", "who are you\r\n\r\n", 505, "HTTP_VERSION_NOT_SUPPORTED"),
				rejected("request line of one word", "GET\r\n\r\n"),
				rejected("method with an @", "G@T / HTTP/1.1\r\n" + HOST + "\r\n"),
				rejected("bad percent-encoding", get("/api/%zz")), rejected("encoded NUL", get("/api/prompt%00")),
				rejected("encoded slash", get("/api%2Fprompt")), rejected("encoded backslash", get("/api%5Cprompt")),
				rejected("bytes that are not UTF-8", get("/api/%ff")),
				rejected("path traversal above the root", get("/../../etc")),
				rejected("no Host", "GET /api/prompt HTTP/1.1\r\n\r\n"),
				rejected("two Hosts", get("/api/prompt", "Host: elsewhere")),
				rejected("Host with a space", "GET /api/prompt HTTP/1.1\r\nHost: a b\r\n\r\n"),
				rejected("user information in the target", get("http://user@localhost/api/prompt")),
				arguments("header too long", get("/api/prompt", "X: " + "x".repeat(9_000)), 431,
						"REQUEST_HEADER_FIELDS_TOO_LARGE"),
				arguments("too many headers", get("/api/prompt", "X: x\r\n".repeat(2_000) + "X: x"), 431,
						"REQUEST_HEADER_FIELDS_TOO_LARGE"),
				arguments("one header too many", get("/api/prompt", "X: x\r\n".repeat(99) + "X: x"), 431,
						"REQUEST_HEADER_FIELDS_TOO_LARGE"),
				arguments("one header too many, unknown path", get("/nope", "X: x\r\n".repeat(99) + "X: x"), 431,
						"REQUEST_HEADER_FIELDS_TOO_LARGE"),
				arguments("URI too long", get("/" + "x".repeat(9_000)), 414, "URI_TOO_LONG"),
				rejected("header without a colon", get("/api/prompt", "nonsense")),
				rejected("NUL in a header", get("/api/prompt", "X: a\u0000b")),
				rejected("space before a colon", get("/api/prompt", "X : x")),
				rejected("non-numeric length", get("/api/prompt", "Content-Length: many")),
				rejected("negative length", get("/api/prompt", "Content-Length: -1")),
				rejected("two lengths", get("/api/prompt", "Content-Length: 1", "Content-Length: 2")),
				rejected("chunked before another coding", get("/api/prompt", "Transfer-Encoding: chunked, gzip")),
				rejected("unknown transfer encoding", get("/api/prompt", "Transfer-Encoding: nonsense")),
				rejected("chunked in HTTP/1.0", http10("Transfer-Encoding: chunked", "") + "0\r\n\r\n"),
				rejected("chunked in HTTP/1.0 with keep-alive",
						http10("Connection: keep-alive", "Transfer-Encoding: chunked", "") + "0\r\n\r\n"),
				rejected("gzip and chunked in HTTP/1.0", http10("Transfer-Encoding: gzip, chunked", "")),
				arguments("unknown expectation", get("/api/prompt", "Expect: a miracle"), 417, "EXPECTATION_FAILED"),
				rejected("CONNECT", "CONNECT localhost:443 HTTP/1.1\r\n" + HOST + "\r\n"),
				rejected("CONNECT to Host", "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n"),
				arguments("TRACE", RawConnection.request("TRACE", "/api/prompt"), 405, "METHOD_NOT_ALLOWED"),
				arguments("HTTP/3.0", "GET /api/prompt HTTP/3.0\r\n" + HOST + "\r\n", 505,
						"HTTP_VERSION_NOT_SUPPORTED"),
				arguments("HTTP/2.0 as text", "GET /livez HTTP/2.0\r\n" + HOST + "\r\n", 505,
						"HTTP_VERSION_NOT_SUPPORTED"),
				arguments("HTTP/0.9", "GET /api/prompt HTTP/0.9\r\n" + HOST + "\r\n", 505,
						"HTTP_VERSION_NOT_SUPPORTED"));
	}

	private static Arguments rejected(String what, String request) {
		return arguments(what, request, 400, "BAD_REQUEST");
	}

	private static String get(String path, String... headers) {
		return RawConnection.request("GET", path, headers);
	}

	private static String http10(String... lines) {
		return "GET /livez HTTP/1.0\r\n" + String.join("\r\n", lines) + "\r\n";
	}

	@ParameterizedTest(name = "{0}")
	@MethodSource("malformed")
	void responseWhenMalformedIsError(String what, String request, int status, String code) throws IOException {
		assertRejected(port, request, status, code);
	}

	/** Rejected on this port even if the application port supports HTTP/2. */
	@Test
	void managementResponseToHttp2IsError() throws IOException {
		assertRejected(managementPort, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "HTTP_VERSION_NOT_SUPPORTED");
	}

	@ParameterizedTest(name = "{0}")
	@MethodSource("malformed")
	void managementResponseWhenMalformedIsError(String what, String request, int status, String code)
			throws IOException {
		assertRejected(managementPort, request, status, code);
	}

	private static void assertRejected(int port, String request, int status, String code) throws IOException {
		Response response = RawConnection.exchange(port, request);
		assertThat(response.status()).isEqualTo(status);
		GatewayErrors.assertError(response, code);
		assertThat(response.header("Proxy-Status")).hasValue("comfy-gateway; error=http_request_error");
	}

	@ParameterizedTest
	@ValueSource(strings = { "http://elsewhere", "HTTP://elsewhere:99", "https://elsewhere.example", "http://[::1]:80",
			"http://localhost:1" })
	void responseWhenTargetIsAbsoluteIgnoresItsHost(String base) throws IOException {
		for (String path : List.of("/api/prompt", "/livez", "/page/page.js", "/api/prompt/history?a=b")) {
			assertThat(RawConnection.get(port, base + path).status()).isEqualTo(200);
		}
		assertThat(RawConnection.get(port, base).header("Content-Type")).hasValue("text/html");
		assertThat(RawConnection.get(port, base + "/nope").status()).isEqualTo(404);
		assertThat(RawConnection.get(managementPort, base + "/actuator/health").status()).isEqualTo(200);
	}

	@ParameterizedTest
	@ValueSource(
			strings = { "GET /nope", "GET /error", "GET /api/prompt/", "GET /actuator/health", "GET /WEB-INF/web.xml",
					"GET /v3/api-docs/nope", "BREW /nope", "DELETE /nope", "HEAD /nope", "OPTIONS /nope" })
	void responseWhenPathIsUnknownIsNotFound(String request) throws IOException {
		assertNotFound(port, request);
	}

	@ParameterizedTest
	@ValueSource(strings = { "GET /nope", "GET /", "GET /api/prompt", "GET /livez", "GET /actuator/nope",
			"GET /actuator/env", "GET /actuator/metrics/nope", "GET /actuator/caches/nope", "GET /actuator/health/nope",
			"GET /actuator/sbom/nope", "BREW /nope", "HEAD /nope" })
	void managementResponseWhenPathIsUnknownIsNotFound(String request) throws IOException {
		assertNotFound(managementPort, request);
	}

	private static void assertNotFound(int port, String request) throws IOException {
		String[] words = request.split(" ");
		Response response = RawConnection.exchange(port, RawConnection.request(words[0], words[1]));
		assertThat(response.status()).isEqualTo(404);
		if (words[0].equals("HEAD")) {
			GatewayErrors.assertErrorHeaders(response);
		}
		else {
			GatewayErrors.assertError(response, "NOT_FOUND");
		}
		assertThat(response.header("Proxy-Status")).hasValue("comfy-gateway; error=http_request_error");
	}

	@ParameterizedTest
	@ValueSource(strings = { "POST", "PUT", "PATCH", "DELETE", "BREW", "get" })
	void responseWhenMethodIsNotAllowedHasAllow(String method) throws IOException {
		Response response = RawConnection.exchange(port, RawConnection.request(method, "/api/prompt"));
		assertThat(response.status()).isEqualTo(405);
		GatewayErrors.assertError(response, "METHOD_NOT_ALLOWED");
		assertThat(response.header("Allow")).hasValue("GET, HEAD, OPTIONS");
	}

	@ParameterizedTest
	@ValueSource(strings = { "*/*", "text/html", "image/png;q=0", "%%%", "" })
	void responseWhenPathIsUnknownIgnoresAccept(String accept) throws IOException {
		GatewayErrors.assertError(RawConnection.get(port, "/nope", "Accept: " + accept), "NOT_FOUND");
	}

	@ParameterizedTest
	@CsvSource({ "POST, multipart/form-data", "PUT, application/x-www-form-urlencoded", "PATCH, ///" })
	void responseWhenPathIsUnknownIgnoresMalformedBody(String method, String contentType) throws IOException {
		Response response = RawConnection.exchange(port,
				RawConnection.request(method, "/nope", "Content-Type: " + contentType, "Content-Length: 5") + "a=%zz");
		assertThat(response.status()).isEqualTo(404);
		GatewayErrors.assertError(response, "NOT_FOUND");
	}

	@Test
	void responseWhenQueryIsBadlyEncodedIsBadRequest() throws IOException {
		GatewayErrors.assertError(RawConnection.get(managementPort, "/actuator/health?%zz=1"), "BAD_REQUEST");
	}

	@Test
	void headWhenPathIsUnknownHasNoBody() throws IOException {
		try (RawConnection connection = new RawConnection(port)) {
			connection.send(RawConnection.request("HEAD", "/nope", "Connection: close"));
			assertThat(connection.readToEnd()).startsWith("HTTP/1.1 404").endsWith("\r\n\r\n");
		}
	}

	@ParameterizedTest
	@CsvSource({ "/api/prompt, Content-Length: 1000", "/api/prompt, Transfer-Encoding: chunked",
			"/livez, Content-Length: 1000", "/livez, Transfer-Encoding: chunked",
			"/v3/api-docs, Content-Length: 1000" })
	void responsesWhenBodiesNeverArriveAreSent(String path, String bodyHeader) throws IOException {
		assertBodiesAreNotAwaited(port, path, bodyHeader);
	}

	@ParameterizedTest
	@ValueSource(strings = { "Content-Length: 1000", "Transfer-Encoding: chunked" })
	void managementResponsesWhenBodiesNeverArriveAreSent(String bodyHeader) throws IOException {
		assertBodiesAreNotAwaited(managementPort, "/actuator/health", bodyHeader);
	}

	private static void assertBodiesAreNotAwaited(int port, String path, String bodyHeader) throws IOException {
		List<RawConnection> connections = new ArrayList<>();
		try {
			for (int i = 0; i < CALLERS; i++) {
				connections.add(new RawConnection(port).send(get(path, bodyHeader)));
			}
			for (RawConnection connection : connections) {
				assertThat(connection.read().status()).isEqualTo(200);
			}
			assertThat(RawConnection.get(port, path).status()).isEqualTo(200);
		}
		finally {
			for (RawConnection connection : connections) {
				connection.close();
			}
		}
	}

	@Test
	void responsesWhenFetchIsAwaitedAndBodiesNeverArriveAreSent(@Autowired FakeTime time,
			@Autowired WaitingCallers callers) throws IOException, InterruptedException {
		time.advance(Duration.ofDays(1));
		Hold hold = upstream.hold();
		List<RawConnection> connections = new ArrayList<>();
		try {
			for (int i = 0; i < CALLERS; i++) {
				connections.add(new RawConnection(port).send(get("/api/prompt", "Content-Length: 1000")));
			}
			callers.await(CALLERS);
			hold.release();
			for (RawConnection connection : connections) {
				assertThat(connection.read().status()).isEqualTo(200);
			}
			assertThat(RawConnection.get(port, "/livez").status()).isEqualTo(200);
		}
		finally {
			hold.release();
			for (RawConnection connection : connections) {
				connection.close();
			}
		}
	}

	@Test
	void responseWhenBodyIsCompleteKeepsConnection() throws IOException {
		try (RawConnection connection = new RawConnection(port)) {
			// The body has the form of a request, which must not be executed
			String body = get("/nope");
			connection.send(get("/livez", "Content-Length: " + body.length()) + body);
			assertThat(connection.read().status()).isEqualTo(200);
			assertThat(connection.send(get("/readyz")).read().status()).isEqualTo(200);
		}
	}

	@Test
	void responseWhenBodyIsIncompleteClosesConnection() throws IOException {
		try (RawConnection connection = new RawConnection(port)) {
			connection.send(get("/livez", "Content-Length: 1000") + get("/nope"));
			assertThat(connection.readToEnd()).startsWith("HTTP/1.1 200")
				.containsIgnoringCase("Connection: close")
				.doesNotContain("NOT_FOUND");
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "Transfer-Encoding: chunked", "X: x\r\nConnection: keep-alive, Keep-Alive" })
	void responseWhenHeadersAreRejectedClosesConnection(String header) throws IOException {
		String tooMany = "X: x\r\n".repeat(header.startsWith("X") ? 100 : 0);
		try (RawConnection connection = new RawConnection(port)) {
			connection.send("POST /livez HTTP/1.0\r\nConnection: keep-alive\r\n" + tooMany + header
					+ "\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET /nope HTTP/1.0\r\n\r\n");
			assertThat(connection.readToEnd()).startsWith("HTTP/1.1 4")
				.containsIgnoringCase("Connection: close")
				.doesNotContain("NOT_FOUND");
		}
	}

	@Test
	void responseWhenHeaderCountIsMaximumIsOk() throws IOException {
		// The Host header is the 100th
		String[] headers = Collections.nCopies(99, "X-Ordinary: " + "x".repeat(48)).toArray(String[]::new);
		for (String path : List.of("/api/prompt", "/livez", "/v3/api-docs")) {
			assertThat(RawConnection.get(port, path, headers).status()).isEqualTo(200);
		}
	}

	@Test
	void responseWhenBodyIsEmptyKeepsConnection() throws IOException {
		try (RawConnection connection = new RawConnection(port)) {
			connection.send(get("/livez")).read();
			assertThat(connection.send(get("/api/prompt", "Content-Length: 0")).read().status()).isEqualTo(200);
			assertThat(connection.send(get("/livez")).read().status()).isEqualTo(200);
		}
	}

}
