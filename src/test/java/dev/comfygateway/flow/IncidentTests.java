package dev.comfygateway.flow;

import dev.comfygateway.simulator.Behaviour;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.support.Certificates;
import dev.comfygateway.support.GatewayErrors;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RawConnection.Response;
import dev.comfygateway.support.TestGateway;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Tests that an upstream failure has the same code and reason in the caller's response,
 * in health, in the log and in the runbook, and the matching outcome in the metrics.
 */
@ExtendWith(OutputCaptureExtension.class)
class IncidentTests {

	private static final String RUNBOOK = "src/docs/runbook.md";

	private static TestGateway gateway;

	@BeforeAll
	static void start() {
		gateway = TestGateway.start();
	}

	@AfterAll
	static void stop() {
		gateway.close();
	}

	@BeforeEach
	void recover() throws IOException {
		gateway.time().advance(Duration.ofDays(1));
		gateway.upstream().behave(Behaviour.NORMAL);
		assertThat(get(gateway).status()).isEqualTo(200);
		gateway.time().advance(Duration.ofDays(1));
	}

	static Stream<Arguments> incidents() {
		return Stream.of(incident(Behaviour.REFUSE, 401, "UNAUTHORIZED", "401", "unauthorized"),
				incident(Behaviour.FORBID, 502, "UPSTREAM_UNEXPECTED_STATUS", "403", "forbidden"),
				incident(htmlResponse(403), 502, "UPSTREAM_BLOCKED", "403", "forbidden"),
				incident(htmlResponse(404), 502, "UPSTREAM_UNEXPECTED_STATUS", "404", "unexpected_status"),
				incident(htmlResponse(302), 502, "UPSTREAM_UNEXPECTED_STATUS", "302", "unexpected_status"),
				incident(htmlResponse(520), 502, "UPSTREAM_UNEXPECTED_STATUS", "520", "unexpected_status"),
				incident(Behaviour.LIMIT, 429, "RATE_LIMITED", "429", "rate_limited"),
				incident(Behaviour.FAIL, 500, "INTERNAL_ERROR", "500", "server_error"),
				incident(htmlResponse(502), 502, "UPSTREAM_UNAVAILABLE", "502", "server_error"),
				incident(htmlResponse(503), 503, "UPSTREAM_UNAVAILABLE", "503", "server_error"),
				incident(htmlResponse(504), 504, "UPSTREAM_UNAVAILABLE", "504", "server_error"),
				incident(Behaviour.RUBBISH, 502, "UPSTREAM_INVALID_RESPONSE", "200", "invalid"),
				incident(Behaviour.ENDLESS, 502, "UPSTREAM_INVALID_RESPONSE", "200", "invalid"),
				incident(Behaviour.CUT, 502, "UPSTREAM_INVALID_RESPONSE", "http_response_incomplete", "invalid"),
				incident(Behaviour.raw("SSH-2.0-OpenSSH_9.2p1\r\n".getBytes(StandardCharsets.US_ASCII)), 502,
						"UPSTREAM_INVALID_RESPONSE", "http_protocol_error", "invalid"),
				incident(Behaviour.CLOSE, 502, "UPSTREAM_UNREACHABLE", "connection_terminated", "unreachable"),
				incident(Behaviour.RESET, 502, "UPSTREAM_UNREACHABLE", "connection_terminated", "unreachable"));
	}

	private static Arguments incident(Behaviour behaviour, int status, String code, String reason, String outcome) {
		return Arguments.of(behaviour, new Incident(status, code, reason, outcome));
	}

	/** HTML response, as sent by firewalls, CDNs and proxies. */
	private static Behaviour htmlResponse(int status) {
		return Behaviour.answer(status, Map.of("Content-Type", "text/html", "Location", "/"),
				"<!DOCTYPE html><title>Sorry</title>".getBytes(StandardCharsets.US_ASCII));
	}

	@ParameterizedTest
	@MethodSource("incidents")
	void failureIsReportedConsistently(Behaviour behaviour, Incident incident, CapturedOutput output)
			throws IOException {
		gateway.upstream().behave(behaviour);
		incident.assertReportedBy(gateway, output);
	}

	@Test
	void failureWhenConnectionIsRefusedIsReportedConsistently(CapturedOutput output) throws IOException {
		try (TestGateway other = TestGateway.start()) {
			other.upstream().close();
			new Incident(502, "UPSTREAM_UNREACHABLE", "connection_refused", "unreachable").assertReportedBy(other,
					output);
		}
	}

	@Test
	void failureWhenUpstreamStallsIsReportedConsistently(CapturedOutput output) throws IOException {
		try (TestGateway other = TestGateway.start("comfy.deadline=300ms", "comfy.connect-timeout=200ms")) {
			other.upstream().behave(Behaviour.STALL);
			new Incident(504, "UPSTREAM_TIMEOUT", "http_response_timeout", "timeout").assertReportedBy(other, output);
		}
	}

	@Test
	void failureWhenHostHasNoAddressIsReportedConsistently(CapturedOutput output) throws IOException {
		try (TestGateway other = TestGateway.start("comfy.base-url=https://comfy.invalid")) {
			new Incident(502, "UPSTREAM_UNREACHABLE", "dns_error", "unreachable").assertReportedBy(other, output);
		}
	}

	@ParameterizedTest
	@ValueSource(ints = { 403, 407, 503 })
	void failureWhenProxyRefusesIsReportedConsistently(int status, CapturedOutput output) throws IOException {
		gateway.upstream().behave(htmlResponse(status));
		System.setProperty("https.proxyHost", "127.0.0.1");
		System.setProperty("https.proxyPort", Integer.toString(gateway.upstream().port()));
		try (TestGateway other = TestGateway.start("comfy.base-url=https://comfy.invalid")) {
			new Incident(502, "UPSTREAM_UNREACHABLE", "http_request_denied", "unreachable").assertReportedBy(other,
					output);
			assertThat(new JsonMapper().readTree(managementBody(other, "/actuator/health"))
				.at("/components/upstream/details/proxyStatus")
				.asInt()).isEqualTo(status);
			assertThat(output).contains("http_request_denied; the outbound proxy answered %s; ".formatted(status));
			assertThat(output).contains("Upstream https://comfy.invalid through the outbound proxy 127.0.0.1:%s, key "
				.formatted(gateway.upstream().port()));
		}
		finally {
			System.clearProperty("https.proxyHost");
			System.clearProperty("https.proxyPort");
		}
	}

	@Test
	void failureWhenPortHasNoTlsIsReportedConsistently(CapturedOutput output) throws IOException {
		String https = gateway.upstream().baseUrl().replace("http:", "https:");
		try (TestGateway other = TestGateway.start("comfy.base-url=" + https)) {
			new Incident(502, "UPSTREAM_UNREACHABLE", "tls_protocol_error", "unreachable").assertReportedBy(other,
					output);
		}
	}

	@Test
	void failureWhenCertificateIsUntrustedReportsDetail(@TempDir Path directory, CapturedOutput output)
			throws Exception {
		KeyStore certificate = Certificates.make(directory, "interception", "ip:127.0.0.1");
		try (SimulatedComfyCloud https = SimulatedComfyCloud.startTls("key", Certificates.serverSockets(certificate));
				TestGateway other = TestGateway.start("comfy.base-url=" + https.baseUrl())) {
			new Incident(502, "UPSTREAM_UNREACHABLE", "tls_certificate_error", "unreachable").assertReportedBy(other,
					output);
			String detail = "the certificate of CN=interception is from an unknown authority, CN=interception; valid until 20";
			assertThat(detail(other)).startsWith(detail);
			assertThat(output).contains("tls_certificate_error; " + detail);
			assertThat(get(other).body()).doesNotContain("interception");
		}
	}

	@ParameterizedTest
	@ValueSource(ints = { 200, 403, 404, 503, 520 })
	void failureWhenResponseIsHtmlReportsContentType(int status, CapturedOutput output) throws IOException {
		gateway.upstream().behave(htmlResponse(status));
		assertThat(get(gateway).status()).isBetween(502, 503);
		assertThat(detail(gateway)).isEqualTo("content type text/html");
		assertThat(output).contains(", " + status + "; content type text/html; next attempt not before ");
	}

	private static String detail(TestGateway gateway) throws IOException {
		return new JsonMapper().readTree(managementBody(gateway, "/actuator/health"))
			.at("/components/upstream/details/detail")
			.asString();
	}

	/** The upstream answers, but without the number that operators scale by. */
	@Test
	void answerWhenNumberIsMissingIsReportedConsistently(CapturedOutput output) throws IOException {
		gateway.upstream().behave(Behaviour.answer(200, "{\"exec_info\":{}}"));
		assertThat(get(gateway).body()).isEqualTo("{\"exec_info\":{}}");
		assertThat(new JsonMapper().readTree(managementBody(gateway, "/actuator/health"))
			.at("/components/upstream/details/queue")
			.asString()).isEqualTo("absent");
		assertThat(managementBody(gateway, "/actuator/prometheus")).contains("\ncomfy_gateway_queue_known 0.0\n")
			.doesNotContain("\ncomfy_gateway_queue_remaining ");
		assertThat(output).contains("responds without a queue length");
		assertThat(Files.readString(Path.of(RUNBOOK))).contains("### ComfyGatewayQueueUnknown", "`queue: absent`",
				"responds without a queue length");
	}

	@Test
	void listenersWhenLimitIsReachedAreReportedConsistently(CapturedOutput output) throws IOException {
		try (TestGateway other = TestGateway.start("gateway.events.max-listeners=1");
				RawConnection listener = new RawConnection(other.port())) {
			listener.send(RawConnection.request("GET", "/api/prompt/events"));
			await().untilAsserted(() -> assertThat(managementBody(other, "/actuator/prometheus"))
				.contains("\ncomfy_gateway_listeners 1.0\n"));
			GatewayErrors.assertError(RawConnection.get(other.port(), "/api/prompt/events"), "TOO_MANY_LISTENERS");
			assertThat(managementBody(other, "/actuator/prometheus"))
				.contains("\ncomfy_gateway_listeners_refused_total 1.0\n");
		}
		String line = "Rejecting callers with TOO_MANY_LISTENERS: %s listening, limit gateway.events.max-listeners reached";
		assertThat(output).contains(line.formatted(1));
		assertThat(Files.readString(Path.of(RUNBOOK))).contains("\n" + line.formatted(5000) + "\n");
	}

	/** If the account lacks a right, another key of the same account does not help. */
	@Test
	void keyWhenForbiddenReportsRemedyForAccount(CapturedOutput output) throws IOException {
		gateway.upstream().behave(Behaviour.FORBID);
		get(gateway);
		assertThat(output).contains("403; check the account of the key; ").doesNotContain("replace the key");
		assertThat(Files.readString(Path.of(RUNBOOK)).split("\n### ComfyGatewayKeyRefused\n")[1].split("\n### ")[0])
			.contains("  - 401: put a working key", "  - 403: another key of the same account does not help");
	}

	private static Response get(TestGateway gateway) throws IOException {
		return RawConnection.get(gateway.port(), "/api/prompt");
	}

	private static String managementBody(TestGateway gateway, String path) throws IOException {
		return RawConnection.get(gateway.managementPort(), path).body();
	}

	/**
	 * Expected report of a failure.
	 *
	 * @param status status that callers get
	 * @param code code that callers get
	 * @param reason the upstream's status, or the {@code error=} token of
	 * {@code Proxy-Status}
	 * @param outcome label of the metric
	 */
	record Incident(int status, String code, String reason, String outcome) {

		void assertReportedBy(TestGateway gateway, CapturedOutput output) throws IOException {
			double before = attempts(gateway);
			Response response = get(gateway);
			assertThat(response.status()).isEqualTo(status);
			GatewayErrors.assertError(response, code);
			assertThat(response.header("Proxy-Status")).hasValue("comfy-gateway; " + proxyStatus());
			assertThat(response.header("Retry-After"))
				.hasValueSatisfying(value -> assertThat(value).matches("[1-9]\\d*"));
			JsonNode health = new JsonMapper().readTree(managementBody(gateway, "/actuator/health"))
				.at("/components/upstream/details");
			assertThat(health.at("/code").asString()).isEqualTo(code);
			assertThat(health.at("/reason").asString()).isEqualTo(reason);
			assertThat(output.getAll().lines().filter(line -> line.contains(": Upstream "))).last()
				.asString()
				.containsSubsequence(isKeyRefused(health) ? "refuses the key: " : "fails: ",
						code + ", " + reason + "; ");
			assertThat(attempts(gateway)).isGreaterThan(before);
			assertThat(runbookSymptoms()).contains(Integer.toString(status))
				.containsAnyOf(proxyStatus(), reason + "`", "received-status=<n>",
						"received-status=` with the same status");
		}

		private static boolean isKeyRefused(JsonNode health) {
			return health.at("/state").asString().equals("key refused");
		}

		private String proxyStatus() {
			return (Character.isDigit(reason.charAt(0)) ? "received-status=" : "error=") + reason;
		}

		private double attempts(TestGateway gateway) throws IOException {
			String series = "comfy_gateway_upstream_requests_seconds_count{outcome=\"%s\"} ".formatted(outcome);
			return managementBody(gateway, "/actuator/prometheus").lines()
				.filter(line -> line.startsWith(series))
				.mapToDouble(line -> Double.parseDouble(line.substring(series.length())))
				.sum();
		}

		/** Returns the symptoms that the runbook lists in the section of this code. */
		private String runbookSymptoms() throws IOException {
			String section = Files.readString(Path.of(RUNBOOK)).split("\n### %s\n".formatted(code))[1];
			return section.substring(0, section.indexOf("\n- It means:"));
		}

	}

}
