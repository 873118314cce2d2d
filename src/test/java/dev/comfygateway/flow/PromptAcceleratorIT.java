package dev.comfygateway.flow;

import dev.comfygateway.simulator.Behaviour;
import dev.comfygateway.support.Protocol;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.TestGateway;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

/**
 * Compares gateways with and without the accelerator, {@code PromptAccelerator}. Their
 * responses must be identical to the byte, except for {@code Date}, and their counters
 * must increase alike.
 */
class PromptAcceleratorIT {

	private static final String ETAG = "\"d318ae0819beef29372f6fb8075b01ae\"";

	private static final TestGateway accelerated = TestGateway.start("server.http2.enabled=true");

	private static final TestGateway plain = TestGateway.startWithoutAccelerator("server.http2.enabled=true");

	private static final TestGateway acceleratedWithCors = TestGateway
		.start("gateway.allowed-origins=https://dashboard.example", "gateway.name=edge-7", "gateway.fresh-for=999ms");

	private static final TestGateway plainWithCors = TestGateway.startWithoutAccelerator(
			"gateway.allowed-origins=https://dashboard.example", "gateway.name=edge-7", "gateway.fresh-for=999ms");

	private static final List<List<TestGateway>> pairs = List.of(List.of(accelerated, plain),
			List.of(acceleratedWithCors, plainWithCors));

	/** State of the cached answer. */
	enum State {

		NOTHING_CACHED(Duration.ZERO, false), FRESH(Duration.ZERO, false),
		FRESH_AFTER_900_MS(Duration.ofMillis(900), false), REVALIDATING(Duration.ofSeconds(3), false),
		TOO_OLD(Duration.ofSeconds(10), false), STALE_IN_OUTAGE(Duration.ofSeconds(10), true),
		EXPIRED_IN_OUTAGE(Duration.ofSeconds(60), true);

		private final Duration age;

		private final boolean outage;

		State(Duration age, boolean outage) {
			this.age = age;
			this.outage = outage;
		}

	}

	@AfterAll
	static void stop() {
		pairs.forEach(pair -> pair.forEach(TestGateway::close));
	}

	@BeforeEach
	void reset() {
		for (List<TestGateway> pair : pairs) {
			for (TestGateway gateway : pair) {
				gateway.upstream().behave(Behaviour.NORMAL);
				gateway.upstream().queueRemaining(3);
				gateway.time().advance(Duration.ofDays(1));
			}
		}
	}

	static Stream<Arguments> requests() {
		List<String> requests = List.of(request("GET", "/api/prompt"), request("HEAD", "/api/prompt"),
				request("OPTIONS", "/api/prompt"), request("POST", "/api/prompt"), request("TRACE", "/api/prompt"),
				request("get", "/api/prompt"), request("GET", "/api/prompt?a=1&a=%41"), request("GET", "/api/prompt/"),
				request("GET", "/api/prompt;a=b"), request("GET", "//api/prompt"), request("GET", "/api/./prompt"),
				request("GET", "/api/prom%70t"), request("GET", "http://localhost/api/prompt"),
				request("GET", "/api/prompt", "Connection: close"), "GET /api/prompt HTTP/1.0\r\n\r\n",
				"GET /api/prompt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
				request("GET", "/api/prompt", "Accept: text/html"),
				request("GET", "/api/prompt", "Accept-Encoding: gzip", "Range: bytes=0-3", "X-Request-Id: 1"),
				request("GET", "/api/prompt", "If-None-Match: " + ETAG),
				request("HEAD", "/api/prompt", "If-None-Match: W/" + ETAG),
				request("GET", "/api/prompt", "If-None-Match: *"),
				request("GET", "/api/prompt", "If-None-Match: \"a\"", "If-None-Match: \"b\", " + ETAG),
				request("GET", "/api/prompt", "If-None-Match: nonsense",
						"If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT"),
				request("GET", "/api/prompt", "If-Match: \"x\""),
				request("GET", "/api/prompt", "Cache-Control: no-cache"),
				request("GET", "/api/prompt", "Pragma: no-cache"),
				request("GET", "/api/prompt", "Cache-Control: only-if-cached"),
				request("GET", "/api/prompt", "Cache-Control: max-age=5"),
				request("GET", "/api/prompt", "Origin: https://dashboard.example"),
				request("GET", "/api/prompt", "Origin: https://elsewhere.example"),
				request("HEAD", "/api/prompt", "Origin: https://dashboard.example", "If-None-Match: *"),
				request("OPTIONS", "/api/prompt", "Origin: https://dashboard.example",
						"Access-Control-Request-Method: GET", "Access-Control-Request-Headers: cache-control"),
				"GET /api/prompt HTTP/1.0\r\nConnection: keep-alive\r\nIf-None-Match: *\r\n\r\n",
				request("GET", "/api/prompt", "Content-Length: 3") + "abc",
				request("GET", "/api/prompt", "Content-Length: 3000") + "abc",
				request("GET", "/api/prompt", "Transfer-Encoding: chunked") + "0\r\n\r\n",
				request("GET", "/api/prompt", "Expect: 100-continue", "Content-Length: 3"),
				request("GET", "/api/prompt", "Upgrade: h2c", "Connection: Upgrade"),
				request("GET", "/api/prompt", "X-Forwarded-Host: elsewhere", "Forwarded: host=elsewhere"));
		return Stream.of(State.values()).flatMap(state -> requests.stream().map(request -> arguments(state, request)));
	}

	private static String request(String method, String target, String... headers) {
		return RawConnection.request(method, target, headers);
	}

	@ParameterizedTest
	@MethodSource("requests")
	void responseWhenAcceleratedIsTheSame(State state, String request) throws IOException {
		for (List<TestGateway> pair : pairs) {
			assertThat(bytes(pair.getFirst(), state, request)).isEqualTo(bytes(pair.getLast(), state, request));
		}
	}

	/** Requests that HTTP/2 can express: no connection headers, no absolute target. */
	static Stream<Arguments> requestsOverBothProtocols() {
		return requests().filter(arguments -> !String.valueOf(arguments.get()[1])
			.matches("(?s).*( HTTP/1\\.0|Connection:|Transfer-Encoding:|Upgrade:|http:|Length: 3000).*"));
	}

	@ParameterizedTest
	@MethodSource("requestsOverBothProtocols")
	void responseOverHttp2IsTheSame(State state, String request) throws IOException {
		List<String> responses = new ArrayList<>();
		for (TestGateway gateway : pairs.getFirst()) {
			for (Protocol protocol : Protocol.values()) {
				prepare(gateway, state);
				RawConnection.Response response = protocol.exchange(gateway.port(), request);
				responses.add(response.status() + "\n"
						+ response.headers()
							.stream()
							.map(header -> header.getKey().toLowerCase(Locale.ROOT) + ": " + header.getValue())
							.filter(header -> !header.matches("(date|connection): .*"))
							.sorted()
							.toList()
						+ "\n" + response.body());
			}
		}
		assertThat(responses).hasSize(4).containsOnly(responses.getFirst());
	}

	@ParameterizedTest
	@EnumSource
	void countersWhenAcceleratedAreTheSame(State state) throws IOException {
		for (String request : List.of(request("GET", "/api/prompt"), request("HEAD", "/api/prompt"),
				request("GET", "/api/prompt", "If-None-Match: *"))) {
			assertThat(counted(accelerated, state, request)).isEqualTo(counted(plain, state, request));
		}
	}

	@Test
	void responsesOnOneConnectionAreTheSame() throws IOException {
		bytes(accelerated, State.FRESH, request("GET", "/livez"));
		try (RawConnection connection = new RawConnection(accelerated.port())) {
			for (int i = 0; i < 1_000; i++) {
				connection.send(request("GET", "/api/prompt"));
				assertThat(connection.read().body()).isEqualTo("{\"exec_info\":{\"queue_remaining\":3}}");
			}
		}
	}

	@Test
	void responsesToPipelinedRequestsAreInOrder() throws IOException {
		bytes(accelerated, State.FRESH, request("GET", "/livez"));
		String batch = request("GET", "/api/prompt") + request("GET", "/nope") + request("HEAD", "/api/prompt")
				+ request("GET", "/livez") + request("GET", "/api/prompt", "If-None-Match: *");
		try (RawConnection connection = new RawConnection(accelerated.port())) {
			connection.send(batch.repeat(300));
			for (int i = 0; i < 300; i++) {
				assertThat(connection.read().body()).contains("queue_remaining");
				assertThat(connection.read().status()).isEqualTo(404);
				assertThat(connection.readHead().status()).isEqualTo(200);
				assertThat(connection.read().body()).contains("UP");
				assertThat(connection.read().status()).isEqualTo(304);
			}
		}
	}

	/** Returns the response without its {@code Date} header. */
	private static String bytes(TestGateway gateway, State state, String request) throws IOException {
		prepare(gateway, state);
		try (RawConnection connection = new RawConnection(gateway.port())) {
			connection.send(request);
			RawConnection.Response response = request.startsWith("HEAD ") ? connection.readHead() : connection.read();
			String rest = "";
			if (response.header("Connection").filter("close"::equals).isPresent() || request.endsWith("1.0\r\n\r\n")) {
				rest = connection.readToEnd();
			}
			else {
				assertThat(connection.send(request("GET", "/livez")).read().status()).isEqualTo(200);
			}
			return response.statusLine() + "\n"
					+ String.join("\n",
							response.headers()
								.stream()
								.filter(header -> !header.getKey().equals("Date"))
								.map(Object::toString)
								.toList())
					+ "\n\n" + response.body() + rest;
		}
	}

	/** Prepares the state and returns the number of requests that it took. */
	private static int prepare(TestGateway gateway, State state) throws IOException {
		gateway.upstream().behave(Behaviour.NORMAL);
		if (state == State.NOTHING_CACHED) {
			gateway.time().advance(Duration.ofDays(1));
			return 0;
		}
		int requests = 0;
		RawConnection.Response fetched;
		do {
			gateway.time().advance(Duration.ofDays(1));
			fetched = RawConnection.get(gateway.port(), "/api/prompt", "Cache-Control: no-cache");
			requests++;
			// A background refresh of an earlier test is from the day before
		}
		while (fetched.header("Cache-Status").orElseThrow().contains("collapsed"));
		assertThat(fetched.status()).isEqualTo(200);
		gateway.time().advance(state.age);
		if (state.outage) {
			gateway.upstream().behave(Behaviour.LIMIT);
			RawConnection.get(gateway.port(), "/api/prompt");
			requests++;
		}
		return requests;
	}

	/**
	 * Returns the increase of the counters by one request. Spring's timer may record a
	 * request after its response was read, so the counts are awaited.
	 */
	private static Map<String, Double> counted(TestGateway gateway, State state, String request) throws IOException {
		double timed = timed(counters(gateway));
		int prepared = prepare(gateway, state);
		Map<String, Double> before = Awaitility.await()
			.until(() -> counters(gateway), counters -> timed(counters) == timed + prepared);
		RawConnection.exchange(gateway.port(), request);
		return Awaitility.await().until(() -> added(before, counters(gateway)), added -> timed(added) == 1);
	}

	private static double timed(Map<String, Double> counters) {
		return counters.entrySet()
			.stream()
			.filter(counter -> counter.getKey().startsWith("http_server_requests_seconds_count{")
					&& counter.getKey().contains("uri=\"/api/prompt\""))
			.mapToDouble(Map.Entry::getValue)
			.sum();
	}

	private static Map<String, Double> added(Map<String, Double> before, Map<String, Double> after) {
		after.replaceAll((series, value) -> value - before.getOrDefault(series, 0.0));
		after.values().removeIf(difference -> difference == 0);
		return after;
	}

	private static Map<String, Double> counters(TestGateway gateway) throws IOException {
		Map<String, Double> counters = new TreeMap<>();
		RawConnection.get(gateway.managementPort(), "/actuator/prometheus")
			.body()
			.lines()
			.filter(line -> line
				.matches("(comfy_gateway_requests_total|http_server_requests_seconds_count|cache_gets_total)\\{.*")
					&& !line.contains("/actuator"))
			.forEach(line -> counters.put(line.substring(0, line.lastIndexOf(' ')),
					Double.valueOf(line.substring(line.lastIndexOf(' ') + 1))));
		return counters;
	}

}
