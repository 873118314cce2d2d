package dev.comfygateway.process;

import dev.comfygateway.simulator.Hold;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.support.FloodingCallers;
import dev.comfygateway.support.GatewayProcess;
import dev.comfygateway.support.Nginx;
import dev.comfygateway.support.RawConnection;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

/**
 * Tests of a gateway with the container's heap under thousands of connections with
 * arbitrary heads and parameters, complete and incomplete. The process must survive, and
 * probes must be answered during the flood.
 */
@Isolated("measures times")
class FloodIT {

	private static final String KEY = "key-that-nobody-takes";

	private static final int CALLERS = 10_000;

	/** Maximum response time of a probe during the flood. */
	private static final int MAX_RESPONSE_MILLIS = 1_000;

	private static final int TIMEOUT_SECONDS = 60;

	private static final String NAMES = "?"
			+ IntStream.range(0, 1_700).mapToObj(Integer::toString).collect(Collectors.joining("&"));

	private static final String FIELDS = "a:\r\n".repeat(1_990);

	private static final String HUNDRED_FIELDS = ("X-Ordinary: " + "x".repeat(64) + "\r\n").repeat(95);

	private static final String LONG = "X-Long: " + "x".repeat(7_800) + "\r\n";

	private static final String NO_CACHE = "Cache-Control: no-cache\r\n";

	private static SimulatedComfyCloud upstream;

	private static GatewayProcess gateway;

	@BeforeAll
	static void start() throws IOException {
		upstream = SimulatedComfyCloud.start(0, KEY);
		gateway = GatewayProcess.startInSmallHeap(Map.of(), "--comfy.api-key=" + KEY,
				"--comfy.base-url=" + upstream.baseUrl(), "--comfy.deadline=30s",
				// Callers wait as soon as the answer is not fresh
				"--gateway.stale-while-revalidate=0s");
		gateway.awaitStart();
		// Loads the classes that probes need
		awaitImmediateResponses();
	}

	@AfterAll
	static void end() {
		gateway.close();
		upstream.close();
	}

	/** Heads that a proxy passes on. */
	private static final Map<String, String> COMPLETE = Map.ofEntries(
			entry("stream with 1,700 names", get("/api/prompt/events" + NAMES, "")),
			entry("stream with a long cookie", get("/api/prompt/events", LONG.replace("X-Long", "Cookie"))),
			entry("stream with 100 fields", get("/api/prompt/events", HUNDRED_FIELDS)),
			entry("waiting callers with a long field", get("/api/prompt", NO_CACHE + LONG)),
			entry("waiting callers with 98 fields", get("/api/prompt", NO_CACHE + HUNDRED_FIELDS)),
			entry("waiting callers with 1,600 names", get("/api/prompt" + NAMES.substring(0, 7_000), NO_CACHE)),
			entry("waiting callers without a thread", get("/api/prompt", HUNDRED_FIELDS)),
			entry("prompt with 1,700 names", get("/api/prompt" + NAMES, "")),
			entry("page with 1,700 names", get("/" + NAMES, "")),
			entry("document with 1,700 names", get("/v3/api-docs" + NAMES, "")),
			entry("status with 1,700 names", get("/page/status.json" + NAMES, "")),
			entry("unknown path with 100 fields", get("/nope", HUNDRED_FIELDS)));

	private static final Map<String, String> OTHERS = Map.ofEntries(
			entry("stream with 1,990 fields", get("/api/prompt/events", FIELDS)),
			entry("waiting callers with 1,980 fields", get("/api/prompt", NO_CACHE + "a:\r\n".repeat(1_980))),
			entry("nothing", ""), entry("a long field without end", withoutEnd(get("/api/prompt", LONG))),
			entry("1,990 fields without end", withoutEnd(get("/api/prompt", FIELDS))),
			entry("a long path without end", "GET /" + "x".repeat(8_000)),
			entry("1,990 fields behind a request",
					get("/livez", "") + withoutEnd(get("/livez", "a:\r\n".repeat(1_970)))),
			entry("1,990 fields behind a body",
					"POST /livez HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + FIELDS),
			entry("waiting callers with the start of another head", get("/api/prompt", HUNDRED_FIELDS) + "GET"),
			entry("stream with another request behind it", get("/api/prompt/events", "") + get("/livez", "")),
			entry("stream with 2,000 trailers",
					get("/api/prompt/events", "Transfer-Encoding: chunked\r\n")
							+ "0\r\n" + "a:\r\n".repeat(2_000) + "\r\n"),
			entry("a long name", get("/api/prompt", "x".repeat(7_800) + ": v\r\n")),
			entry("stream with half a body",
					get("/api/prompt/events", "Content-Length: 100000\r\n") + "a\n".repeat(4_000)),
			entry("half a body",
					"POST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + "a\n".repeat(4_000)),
			entry("what is no HTTP", "\u0016\u0003\u0001\u0002\u0000\u0001".repeat(1_000)));

	/**
	 * Heads that occupy the most heap, each in a different way, and all heads together.
	 */
	static Stream<Arguments> floods() {
		List<String> all = Stream.concat(COMPLETE.values().stream(), OTHERS.values().stream()).toList();
		return Stream.concat(Stream
			.of("stream with 1,700 names", "stream with a long cookie", "waiting callers with 98 fields",
					"waiting callers without a thread", "waiting callers with the start of another head",
					"stream with 1,990 fields", "a long field without end", "1,990 fields without end",
					"1,990 fields behind a request", "stream with 2,000 trailers", "a long name", "nothing")
			.map(what -> arguments(what, List.of(COMPLETE.containsKey(what) ? COMPLETE.get(what) : OTHERS.get(what)))),
				Stream.of(arguments("all forms", all)));
	}

	private static String get(String target, String headers) {
		return "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n";
	}

	private static String withoutEnd(String head) {
		return head.substring(0, head.length() - 2);
	}

	@ParameterizedTest(name = "{0}")
	@MethodSource("floods")
	void probesDuringAFloodAreAnswered(String what, List<String> heads) throws Exception {
		assertSurvives(gateway.port(), CALLERS, heads);
	}

	@Test
	@EnabledIf(value = Nginx.IS_INSTALLED, disabledReason = "There is no /usr/sbin/nginx")
	void probesDuringAFloodThroughNginxAreAnswered() throws Exception {
		// nginx forwards every request that it accepts, each on a separate connection
		try (Nginx nginx = Nginx.start("client_header_buffer_size 16k; large_client_header_buffers 8 16k;", """
				location / {
				  proxy_pass http://127.0.0.1:%s;
				  proxy_set_header Connection "";
				  proxy_set_header Host localhost;
				  proxy_buffering off;
				}""".formatted(gateway.port()))) {
			assertSurvives(nginx.port(), CALLERS, List.copyOf(COMPLETE.values()));
		}
	}

	@Test
	void headersOfSixKilobytesAfterAFloodAreAccepted() throws Exception {
		assertSurvives(gateway.port(), CALLERS, List.of(withoutEnd(get("/api/prompt", FIELDS))));
		String[] headers = IntStream.range(0, 30)
			.mapToObj(i -> "X-Ordinary-%s: %s".formatted(i, "x".repeat(180)))
			.toArray(String[]::new);
		for (int i = 0; i < 100; i++) {
			assertThat(RawConnection.get(gateway.port(), "/api/prompt", headers).status()).isEqualTo(200);
			assertThat(RawConnection.get(gateway.port(), "/nope", headers).status()).isEqualTo(404);
		}
	}

	private static void assertSurvives(int port, int callers, List<String> heads) throws Exception {
		Hold hold = upstream.hold();
		try (FloodingCallers flood = FloodingCallers.start(port, callers, heads)) {
			do {
				awaitImmediateResponses();
			}
			while (!flood.isSent());
			assertThat(flood.connected()).isEqualTo(callers);
			awaitImmediateResponses();
		}
		finally {
			hold.release();
		}
		assertThat(gateway.output()).doesNotContain("OutOfMemory");
		assertThat(gateway.isAlive()).isTrue();
		// The gateway has recovered
		Awaitility.await()
			.atMost(TIMEOUT_SECONDS, TimeUnit.SECONDS)
			.ignoreExceptions()
			.until(() -> RawConnection.get(gateway.port(), "/api/prompt", "Cache-Control: no-cache").status() == 200);
	}

	/** Retries late responses, since the client competes with the gateway for the CPU. */
	private static void awaitImmediateResponses() {
		for (int port : new int[] { gateway.port(), gateway.managementPort() }) {
			String path = port == gateway.port() ? "/livez" : "/actuator/health/liveness";
			Awaitility.await(path).atMost(TIMEOUT_SECONDS, TimeUnit.SECONDS).ignoreExceptions().until(() -> {
				try (RawConnection probe = new RawConnection(port, MAX_RESPONSE_MILLIS)) {
					return probe.send(get(path, "")).read().status() == 200;
				}
			});
		}
	}

}
