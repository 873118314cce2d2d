package dev.comfygateway.process;

import dev.comfygateway.simulator.Behaviour;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.support.GatewayProcess;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.TraceCollector;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.greaterThan;

/**
 * Tests that the key does not appear in the output, the responses and the traces of the
 * gateway at the most verbose log level, while the upstream sends the key in every part
 * of its responses.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
class KeyLeakIT {

	private static final String KEY = "comfyui-4f9c1e7ab2d85630-QwZxPlMnVb";

	/** Long enough that no other text contains a part of this length by chance. */
	private static final int PART = 12;

	private static final List<String> PATHS = List.of("/api/prompt", "/v3/api-docs", "/v3/api-docs.yaml",
			"/swagger-ui.html", "/livez", "/readyz", "/nope", "/%zz");

	private static final List<String> OPERATORS_PATHS = List.of("/actuator", "/actuator/health",
			"/actuator/health/upstream", "/actuator/info", "/actuator/prometheus", "/actuator/metrics",
			"/actuator/metrics/http.client.requests", "/actuator/metrics/comfy.gateway.upstream.requests",
			"/actuator/caches", "/actuator/caches/prompt", "/actuator/sbom", "/actuator/env", "/actuator/configprops",
			"/actuator/beans", "/actuator/heapdump", "/nope");

	private final List<String> answers = new ArrayList<>();

	private final SimulatedComfyCloud upstream = SimulatedComfyCloud.start(0, KEY);

	private String output = "";

	private String spans = "";

	private static List<Behaviour> behaviours() {
		Map<String, String> echo = Map.of("Content-Type", "application/json", "X-API-Key", KEY, "Retry-After", KEY,
				"Set-Cookie", "key=" + KEY, "ETag", '"' + KEY + '"', "WWW-Authenticate", "Key " + KEY);
		List<Behaviour> behaviours = new ArrayList<>(List.of(Behaviour.NORMAL, Behaviour.REFUSE, Behaviour.FORBID,
				Behaviour.FAIL, Behaviour.UNAVAILABLE, Behaviour.LIMIT, Behaviour.STALL, Behaviour.CUT,
				Behaviour.RUBBISH, Behaviour.CLOSE, Behaviour.RESET, Behaviour.RESET_AFTER_HEADERS, Behaviour.DRIP,
				Behaviour.ENDLESS, Behaviour.answer(200, echo, bytes("{\"" + KEY + "\":\"" + KEY + "\"}")),
				Behaviour.answer(200, echo, bytes("{\"exec_info\":{\"queue_remaining\":\"" + KEY + "\"}}")),
				Behaviour.answer(200, echo, bytes("{\"exec_info\":" + KEY + "}")),
				Behaviour.answer(401, Map.of("Content-Type", "text/html"), bytes("<title>" + KEY + "</title>")),
				Behaviour.raw(bytes("HTTP/1.1 200 " + KEY + "\r\n" + KEY + "\r\n\r\n")), Behaviour.raw(bytes(KEY)),
				Behaviour
					.raw(bytes("HTTP/1.1 200 OK\r\nContent-Type: " + KEY + "\r\nContent-Length: " + KEY + "\r\n\r\n")),
				Behaviour.raw(bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + KEY + "\r\n"))));
		for (int status : new int[] { 301, 302, 307, 308 }) {
			behaviours.add(Behaviour.answer(status, Map.of("Location", "/api/prompt?key=" + KEY), bytes(KEY)));
		}
		for (int status : new int[] { 400, 401, 403, 429, 500, 503 }) {
			behaviours.add(Behaviour.answer(status, echo, error(KEY, KEY)));
			behaviours.add(Behaviour.answer(status, echo, error("a." + KEY, "The key " + KEY + KEY + " is wrong")));
			behaviours.add(Behaviour.answer(status, echo, error("ECHO", "x".repeat(280) + KEY)));
			behaviours.add(Behaviour.answer(status, echo,
					error("ECHO", KEY.substring(0, 9) + "\\u0000\\u200b" + KEY.substring(9))));
			for (String piece : pieces()) {
				behaviours.add(Behaviour.answer(status, echo, error(piece, "The key " + piece + " is wrong")));
			}
		}
		return behaviours;
	}

	/** Parts of the key that are also valid codes. */
	private static List<String> pieces() {
		String cutOff = KEY.substring(0, 20);
		return List.of(cutOff, "comfyui-4f9c____MnVb", KEY.substring(8).toUpperCase(Locale.ROOT),
				String.join("_", cutOff.split("")), HexFormat.of().formatHex(bytes(cutOff)),
				Base64.getUrlEncoder().withoutPadding().encodeToString(bytes(KEY)));
	}

	private static byte[] error(String code, String message) {
		return bytes("{\"code\":\"%s\",\"message\":\"%s\",\"key\":\"%s\"}".formatted(code, message, KEY));
	}

	private static byte[] bytes(String text) {
		return text.getBytes(StandardCharsets.UTF_8);
	}

	@BeforeAll
	void causeAllFailures() throws IOException, InterruptedException {
		try (TraceCollector collector = new TraceCollector();
				GatewayProcess gateway = GatewayProcess.start(
						Map.of("MANAGEMENT_OPENTELEMETRY_TRACING_EXPORT_OTLP_ENDPOINT", collector.url(),
								"MANAGEMENT_TRACING_SAMPLING_PROBABILITY", "1", "COMFY_API_KEY", KEY, "COMFY_BASE_URL",
								upstream.baseUrl(), "COMFY_DEADLINE", "300ms", "COMFY_CONNECT_TIMEOUT", "300ms"),
						// Every request causes a fetch, with only brief cool-downs
						"--gateway.fresh-for=0s", "--gateway.stale-if-error=0s", "--gateway.cooldown=100ms",
						"--gateway.max-cooldown=100ms", "--logging.level.org.springframework.web=DEBUG",
						"--logging.level.org.springframework.http=DEBUG", "--logging.level.dev.comfygateway=TRACE",
						"--logging.level.org.springframework.boot=DEBUG", "--logging.level.reactor=DEBUG",
						"--spring.mvc.log-request-details=true", "--spring.http.codecs.log-request-details=true")) {
			gateway.awaitStart();
			for (Behaviour behaviour : behaviours()) {
				upstream.behave(behaviour);
				int before = upstream.received().size();
				// Repeats the request until a cool-down has ended
				Awaitility.await().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(10)).until(() -> {
					answers.add(exchange(gateway.port(), "/api/prompt"));
					return upstream.received().size();
				}, greaterThan(before));
				answers.add(exchange(gateway.managementPort(), "/actuator/health"));
			}
			PATHS.forEach(path -> answers.add(exchange(gateway.port(), path)));
			OPERATORS_PATHS.forEach(path -> answers.add(exchange(gateway.managementPort(), path)));
			gateway.terminate();
			gateway.awaitExit();
			output = gateway.output();
			spans = collector.received();
		}
	}

	private static String exchange(int port, String path) {
		try {
			return RawConnection.get(port, path).toString();
		}
		catch (IOException e) {
			throw new UncheckedIOException(e);
		}
	}

	@AfterAll
	void end() {
		upstream.close();
	}

	@Test
	void responsesContainNoPartOfTheKey() {
		assertThat(answers).hasSizeGreaterThan(100);
		assertThat(answers).allSatisfy(KeyLeakIT::assertFreeOfKey);
	}

	@Test
	void responsesWhenKeyIsEchoedMaskIt() {
		assertThat(answers).anyMatch(answer -> answer.contains("The key ****** is wrong"));
	}

	@Test
	void responsesWhenPartOfTheKeyIsSentHaveTheGatewaysOwnText() {
		assertThat(answers).noneMatch(answer -> pieces().stream().anyMatch(answer::contains))
			.anyMatch(answer -> answer.contains("\"code\":\"UNAUTHORIZED\""))
			.anyMatch(answer -> answer.contains("\"code\":\"RATE_LIMITED\""));
		assertThat(output).doesNotContain(pieces());
	}

	@Test
	void outputContainsNoPartOfTheKey() {
		assertThat(output).contains("DEBUG", "dev.comfygateway", "refuses the key");
		assertFreeOfKey(output);
	}

	/**
	 * Lines can be dropped because of their number, but no line may contain the key.
	 */
	@ParameterizedTest
	@ValueSource(strings = { "--logging.level.root=TRACE",
			"--logging.level.org.eclipse.jetty=TRACE --logging.level.org.eclipse.jetty.client=TRACE"
					+ " --logging.level.org.eclipse.jetty.client.transport.HttpSender=TRACE"
					+ " --logging.level.org.eclipse.jetty.http.HttpGenerator=TRACE" })
	void outputAtTraceLevelContainsNoPartOfTheKey(String levels) throws IOException, InterruptedException {
		try (SimulatedComfyCloud traced = SimulatedComfyCloud.start(0, KEY);
				GatewayProcess gateway = GatewayProcess.startOnKnownPorts(true,
						Map.of("SOME_KEY", KEY, "COMFY_API_KEY", "${SOME_KEY}", "COMFY_BASE_URL", traced.baseUrl(),
								"GATEWAY_FRESH_FOR", "0s", "GATEWAY_STALE_IF_ERROR", "0s", "GATEWAY_COOLDOWN", "100ms",
								"GATEWAY_MAX_COOLDOWN", "100ms", "SPRING_MVC_LOG_REQUEST_DETAILS", "true",
								"SPRING_HTTP_CODECS_LOG_REQUEST_DETAILS", "true"),
						levels.split(" "))) {
			gateway.awaitAnswers();
			for (Behaviour behaviour : List.of(Behaviour.NORMAL, Behaviour.NORMAL, Behaviour.REFUSE, Behaviour.CUT,
					Behaviour.answer(401, Map.of("Content-Type", "application/json", "X-API-Key", KEY),
							error(KEY, KEY)))) {
				traced.behave(behaviour);
				int before = traced.received().size();
				Awaitility.await().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(10)).until(() -> {
					exchange(gateway.port(), "/api/prompt");
					return traced.received().size();
				}, greaterThan(before));
			}
			gateway.terminate();
			gateway.awaitExit();
			assertThat(gateway.output()).contains("Started ComfyGatewayApplication");
			assertFreeOfKey(gateway.output());
		}
	}

	@Test
	void spansContainNoPartOfTheKey() {
		assertThat(spans).contains("comfy-gateway", "http get /api/prompt", "WebClientRequestException");
		assertFreeOfKey(spans);
	}

	@Test
	void keyIsSentOnlyToTheUpstream() {
		assertThat(upstream.received()).isNotEmpty()
			.allSatisfy(received -> assertThat(received.target()).isEqualTo("/api/prompt"))
			.allSatisfy(received -> assertThat(received.header("X-API-Key")).containsExactly(KEY))
			.allSatisfy(
					received -> assertThat(received.headerLines().stream().filter(line -> line.contains(KEY)).toList())
						.hasSize(1));
	}

	private static void assertFreeOfKey(String text) {
		String searched = text.toLowerCase(Locale.ROOT);
		assertThat(parts()).noneMatch(part -> searched.contains(part.toLowerCase(Locale.ROOT)));
		assertThat(searched).doesNotContain(Base64.getEncoder().encodeToString(bytes(KEY)).toLowerCase(Locale.ROOT),
				HexFormat.of().formatHex(bytes(KEY)));
	}

	private static List<String> parts() {
		return IntStream.rangeClosed(0, KEY.length() - PART).mapToObj(i -> KEY.substring(i, i + PART)).toList();
	}

}
