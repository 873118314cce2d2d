package dev.comfygateway.process;

import dev.comfygateway.flow.MalformedRequestTests;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.support.GatewayProcess;
import dev.comfygateway.support.RawConnection;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

/** Log of a gateway whose callers try to write it, or whose output nobody reads. */
@Timeout(180)
class LogIT {

	private static final String KEY = "key-of-the-log-test";

	/** Threads on which the end is logged, which no caller causes. */
	private static final Pattern END = Pattern.compile("\\[ionShutdownHook]|\\[ jetty-shutdown]");

	private static final String BEFORE_LOGGER = "^.*? --- \\[.*?] \\[.*?] +";

	/** Wrong requests that are answered by more than the server itself. */
	private static final List<String> WRONG = List.of(get("/a/../b"), get("/nope"), get("/%2e%2e/%2e%2e/etc/passwd"),
			get("/swagger-ui/../../x"), get("/webjars/..%2f..%2fx"), get("/actuator/health?%zz=1"),
			get("/v3/api-docs?%zz=%"), get("/api/prompt?%zz=%zz"), get("/api/prompt/events?until=%zz"),
			get("/api/prompt", "Forwarded: for=\u009b[31m;;=,,by"), get("/v3/api-docs", "X-Forwarded-Port: x"),
			get("/v3/api-docs", "X-Forwarded-Proto: \u00ff", "X-Forwarded-Host: a b:c:d"),
			get("/v3/api-docs", "X-Forwarded-For: :::", "X-Forwarded-Prefix: \\..\\"),
			get("/api/prompt", "Cookie: $Version=x; \"", "Accept: ///", "Accept-Language: %%%"),
			get("/api/prompt", "If-None-Match: \"", "If-Modified-Since: never", "Range: bytes=9-1"),
			get("/api/prompt/events", "Last-Event-ID: \u009b", "Accept: ///") + "\u0000",
			get("/api/prompt", "Content-Encoding: x", "Content-Length: 3") + "\u0000\u0001\u0002",
			get("/api/prompt", "Transfer-Encoding: chunked") + "zz\r\n", get("/api/prompt", "Expect: 100-continue"),
			get("/api/prompt", "Upgrade: h2c, websocket", "Connection: Upgrade, HTTP2-Settings"),
			RawConnection.request("POST", "/nope", "Content-Type: multipart/form-data", "Content-Length: 2") + "--",
			RawConnection.request("PATCH", "/", "Content-Type: ///", "Content-Length: 0"),
			RawConnection.request("OPTIONS", "*"), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

	private static String get(String path, String... headers) {
		return RawConnection.request("GET", path, headers);
	}

	@ParameterizedTest
	@ValueSource(strings = { "none", "native" })
	void logWhenRequestsAreWrongHasNoLine(String forwardHeaders) throws Exception {
		List<String> lines = linesOfCallers("--server.forward-headers-strategy=" + forwardHeaders);
		assertThat(lines).isEmpty();
	}

	/** Spring's own filter, which a setting can turn on, fails by a malformed prefix. */
	@Test
	void logWhenRequestsMeetABugHasItOnce() throws Exception {
		assertThat(linesOfCallers("--server.forward-headers-strategy=framework")).singleElement()
			.asString()
			.contains("ended in a bug: java.lang.IllegalArgumentException at org.springframework");
	}

	/** What a library logs once is not what a caller writes. */
	@Test
	void logWhenLibrariesInformHasNoLineOfARequest() throws Exception {
		List<String> lines = linesOfCallers("--logging.level.root=INFO", "--server.forward-headers-strategy=native");
		assertThat(lines).doesNotHaveDuplicates().hasSizeLessThan(10);
	}

	/** Messages that were logged while callers sent all wrong requests three times. */
	private static List<String> linesOfCallers(String... arguments) throws IOException, InterruptedException {
		try (SimulatedComfyCloud upstream = SimulatedComfyCloud.start(0, KEY);
				GatewayProcess gateway = GatewayProcess.start(
						Map.of("COMFY_API_KEY", KEY, "COMFY_BASE_URL", upstream.baseUrl(), "GATEWAY_FRESH_FOR", "5m"),
						arguments)) {
			gateway.awaitStart();
			assertThat(RawConnection.get(gateway.port(), "/api/prompt").status()).isEqualTo(200);
			gateway.awaitOutput("Upstream " + upstream.baseUrl());
			int before = gateway.output().length();
			for (int i = 0; i < 3; i++) {
				wrongRequests().forEach(request -> {
					send(gateway.port(), request);
					send(gateway.managementPort(), request);
				});
			}
			assertThat(RawConnection.get(gateway.port(), "/livez").status()).isEqualTo(200);
			gateway.terminate();
			gateway.awaitExit();
			return gateway.output()
				.substring(before)
				.lines()
				.filter(END.asPredicate().negate())
				.map(line -> line.replaceFirst(BEFORE_LOGGER, ""))
				.toList();
		}
	}

	private static Stream<String> wrongRequests() {
		return Stream.concat(WRONG.stream(),
				MalformedRequestTests.malformed().map(arguments -> (String) arguments.get()[1]));
	}

	/** Sends a request, and waits for the head of its answer. */
	private static void send(int port, String request) {
		try (RawConnection connection = new RawConnection(port, 1_000)) {
			connection.send(request).readHead();
		}
		catch (IOException ignored) {
			// None comes before the connection is closed
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "ecs" })
	void answersWhenNobodyReadsTheOutputComeToAll(String format) throws Exception {
		try (SimulatedComfyCloud upstream = SimulatedComfyCloud.start(0, KEY);
				GatewayProcess gateway = GatewayProcess.startOnFreePorts(false,
						Map.of("COMFY_API_KEY", KEY, "COMFY_BASE_URL", upstream.baseUrl()),
						// More than a pipe holds, by each thread there is
						"--logging.level.root=DEBUG", "--logging.structured.format.console=" + format)) {
			gateway.awaitAnswers();
			for (int i = 0; i < 2_000; i++) {
				send(gateway.port(), get("/nope", "Host: a b"));
			}
			for (int i = 0; i < 200; i++) {
				assertThat(RawConnection.get(gateway.port(), "/nope").status()).isEqualTo(404);
				assertThat(RawConnection.get(gateway.managementPort(), "/nope").status()).isEqualTo(404);
			}
			assertThat(RawConnection.get(gateway.port(), "/api/prompt").status()).isEqualTo(200);
			assertThat(RawConnection.get(gateway.port(), "/livez").status()).isEqualTo(200);
			assertThat(RawConnection.get(gateway.managementPort(), "/actuator/health/liveness").status())
				.isEqualTo(200);
			gateway.terminate();
			assertThat(gateway.awaitExit()).isEqualTo(128 + 15);
		}
	}

}
