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

/**
 * Tests of the log with callers that try to write to it, and of an output that is not
 * read.
 */
@Timeout(180)
class LogIT {

	private static final String KEY = "key-of-the-log-test";

	/** Threads that log the shutdown, which is not caused by callers. */
	private static final Pattern END = Pattern.compile("\\[ionShutdownHook]|\\[ jetty-shutdown]");

	private static final String BEFORE_LOGGER = "^.*? --- \\[.*?] \\[.*?] +";

	/** Invalid requests that reach code behind the server's parser. */
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
	void logWhenRequestsAreInvalidHasNoLine(String forwardHeaders) throws Exception {
		List<String> lines = linesCausedByCallers("--server.forward-headers-strategy=" + forwardHeaders);
		assertThat(lines).isEmpty();
	}

	/** Spring's own filter, which a setting can enable, throws on a malformed prefix. */
	@Test
	void logWhenRequestsTriggerABugHasOneLine() throws Exception {
		assertThat(linesCausedByCallers("--server.forward-headers-strategy=framework")).singleElement()
			.asString()
			.contains("failed with an unexpected exception: java.lang.IllegalArgumentException at org.springframework");
	}

	/** Lines that a library logs once are not caused by callers. */
	@Test
	void logWhenLibrariesLogInfoHasNoLineAboutARequest() throws Exception {
		List<String> lines = linesCausedByCallers("--logging.level.root=INFO",
				"--server.forward-headers-strategy=native");
		assertThat(lines).doesNotHaveDuplicates().hasSizeLessThan(10);
	}

	/** Messages logged while callers sent all invalid requests three times. */
	private static List<String> linesCausedByCallers(String... arguments) throws IOException, InterruptedException {
		try (SimulatedComfyCloud upstream = SimulatedComfyCloud.start(0, KEY);
				GatewayProcess gateway = GatewayProcess.start(
						Map.of("COMFY_API_KEY", KEY, "COMFY_BASE_URL", upstream.baseUrl(), "GATEWAY_FRESH_FOR", "5m"),
						arguments)) {
			gateway.awaitStart();
			assertThat(RawConnection.get(gateway.port(), "/api/prompt").status()).isEqualTo(200);
			gateway.awaitOutput("Upstream " + upstream.baseUrl());
			int before = gateway.output().length();
			for (int i = 0; i < 3; i++) {
				invalidRequests().forEach(request -> {
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

	private static Stream<String> invalidRequests() {
		return Stream.concat(WRONG.stream(),
				MalformedRequestTests.malformed().map(arguments -> (String) arguments.get()[1]));
	}

	/** Sends a request, and waits for the head of the response. */
	private static void send(int port, String request) {
		try (RawConnection connection = new RawConnection(port, 1_000)) {
			connection.send(request).readHead();
		}
		catch (IOException ignored) {
			// The connection was closed without a response
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "ecs" })
	void requestsWhenTheOutputIsNotReadAreAnswered(String format) throws Exception {
		try (SimulatedComfyCloud upstream = SimulatedComfyCloud.start(0, KEY);
				GatewayProcess gateway = GatewayProcess.startOnKnownPorts(false,
						Map.of("COMFY_API_KEY", KEY, "COMFY_BASE_URL", upstream.baseUrl()),
						// All threads log more than a pipe can buffer
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
