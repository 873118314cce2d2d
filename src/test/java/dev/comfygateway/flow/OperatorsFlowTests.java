package dev.comfygateway.flow;

import dev.comfygateway.upstream.UpstreamAnswer;
import dev.comfygateway.simulator.Behaviour;
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
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.availability.AvailabilityChangeEvent;
import org.springframework.boot.availability.ReadinessState;
import org.springframework.boot.test.web.server.LocalManagementPort;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.context.ApplicationContext;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.hamcrest.Matchers.greaterThanOrEqualTo;

@RunningGateway
class OperatorsFlowTests {

	private static final Pattern LABEL = Pattern.compile("([a-z_]+)=\"((?:[^\"\\\\]|\\\\.)*)\"");

	private final int port;

	private final int managementPort;

	private final SimulatedComfyCloud upstream;

	private final FakeTime time;

	private final WaitingCallers callers;

	private final ApplicationContext context;

	@Autowired
	OperatorsFlowTests(@LocalServerPort int port, @LocalManagementPort int managementPort, SimulatedComfyCloud upstream,
			FakeTime time, WaitingCallers callers, ApplicationContext context) {
		this.port = port;
		this.managementPort = managementPort;
		this.upstream = upstream;
		this.time = time;
		this.callers = callers;
		this.context = context;
	}

	@Test
	void metricsOfGatewayHaveExpectedLabels() throws IOException {
		get();
		assertThat(series("comfy_gateway_")).containsExactlyInAnyOrder("comfy_gateway_queue_remaining",
				"comfy_gateway_queue_observed_timestamp_seconds", "comfy_gateway_upstream_up",
				"comfy_gateway_connections_shed_total", "comfy_gateway_upstream_cooldown_seconds",
				"comfy_gateway_requests_total{result}", "comfy_gateway_callers_waiting", "comfy_gateway_listeners",
				"comfy_gateway_events_total", "comfy_gateway_listeners_dropped_total",
				"comfy_gateway_listeners_refused_total", "comfy_gateway_queue_known",
				"comfy_gateway_upstream_deprecated", "comfy_gateway_api_key_state{state}",
				"comfy_gateway_upstream_requests_seconds_bucket{outcome,le}",
				"comfy_gateway_upstream_requests_seconds_count{outcome}",
				"comfy_gateway_upstream_requests_seconds_sum{outcome}",
				"comfy_gateway_upstream_requests_seconds_max{outcome}");
	}

	@Test
	void labelsOfGatewayHaveExpectedValues() throws IOException {
		assertThat(values("comfy_gateway_requests_total", "result")).containsExactlyInAnyOrder("hit", "miss",
				"collapsed", "stale", "rejected", "error");
		assertThat(values("comfy_gateway_api_key_state", "state")).containsExactlyInAnyOrder("ok", "rejected",
				"unreadable");
		assertThat(values("comfy_gateway_upstream_requests_seconds_count", "outcome")).containsExactlyInAnyOrder("ok",
				"unauthorized", "forbidden", "rate_limited", "server_error", "unexpected_status", "invalid",
				"unreachable", "timeout");
	}

	@ParameterizedTest
	@ValueSource(strings = { "http_server_requests_seconds_count{", "http_client_requests_seconds_count{",
			"cache_gets_total{", "cache_size{", "jvm_memory_used_bytes{", "jetty_threads_current " })
	void metricsIncludeThoseOfBoot(String start) throws IOException {
		get();
		assertThat(prometheus().lines()).anyMatch(line -> line.startsWith(start));
	}

	@Test
	void connectionsOfCallersAreCounted() throws IOException {
		try (RawConnection first = new RawConnection(port); RawConnection second = new RawConnection(port)) {
			for (RawConnection caller : List.of(first, second)) {
				caller.send(RawConnection.request("GET", "/livez"));
				caller.read();
			}
			assertThat(total(prometheus(), "jetty_connections_current_connections")).isGreaterThanOrEqualTo(2);
		}
	}

	@Test
	void gaugesWhenAnswerIsKnownHaveItsValue() throws IOException {
		upstream.queueRemaining(12);
		get();
		Instant observed = time.instant();
		time.advance(Duration.ofSeconds(20));
		assertThat(value("comfy_gateway_queue_remaining")).isEqualTo(12);
		assertThat(value("comfy_gateway_queue_observed_timestamp_seconds")).isEqualTo(observed.toEpochMilli() / 1000.0);
		assertThat(value("comfy_gateway_upstream_up")).isEqualTo(1);
		assertThat(value("comfy_gateway_upstream_cooldown_seconds")).isZero();
		assertThat(value("comfy_gateway_api_key_state{state=\"ok\"}")).isEqualTo(1);
	}

	@Test
	void gaugesWhenAnswerIsTooOldAreAbsent() throws IOException {
		get();
		time.advance(Duration.ofMillis(32_001));
		assertThat(prometheus()).doesNotContain("comfy_gateway_queue_remaining",
				"comfy_gateway_queue_observed_timestamp_seconds");
	}

	@Test
	void gaugeWhenAnswerHasNoNumberIsAbsent() throws IOException {
		upstream.behave(Behaviour.answer(200, "{}"));
		assertThat(get().body()).isEqualTo("{}");
		assertThat(prometheus()).doesNotContain("comfy_gateway_queue_remaining")
			.contains("\ncomfy_gateway_queue_observed_timestamp_seconds ");
	}

	@Test
	void gaugesWhenKeyIsRefusedHaveStateRejected() throws IOException {
		get();
		time.advance(Duration.ofSeconds(1));
		upstream.behave(Behaviour.REFUSE);
		get("Cache-Control: no-cache");
		assertThat(prometheus()).doesNotContain("comfy_gateway_queue_remaining");
		assertThat(value("comfy_gateway_upstream_up")).isZero();
		assertThat(value("comfy_gateway_api_key_state{state=\"rejected\"}")).isEqualTo(1);
		assertThat(value("comfy_gateway_api_key_state{state=\"ok\"}")).isZero();
		assertThat(value("comfy_gateway_upstream_cooldown_seconds")).isBetween(24.0, 36.0);
	}

	@ParameterizedTest
	@CsvSource({ "miss, GET, 200", "hit, GET, 200", "stale, GET, 200", "hit, GET, 304", "hit, HEAD, 304",
			"error, GET, 429", "hit, HEAD, 200", "error, HEAD, 429" })
	void requestIsCountedOnce(String result, String method, int status) throws IOException {
		String header = "X: x";
		if (!result.equals("miss") && !result.equals("error")) {
			String etag = get().header("ETag").orElseThrow();
			header = status == 304 ? "If-None-Match: " + etag : header;
		}
		if (result.equals("stale")) {
			time.advance(Duration.ofSeconds(6));
		}
		if (result.equals("stale") || result.equals("error")) {
			upstream.behave(Behaviour.LIMIT);
		}
		String gatewaySeries = "comfy_gateway_requests_total{result=\"%s\"}".formatted(result);
		String bootSeries = serverRequests(method, status, "/api/prompt");
		String before = prometheus();
		Response response = RawConnection.exchange(port, RawConnection.request(method, "/api/prompt", header));
		assertThat(response.status()).isEqualTo(status);
		String after = prometheus();
		assertThat(value(after, gatewaySeries) - value(before, gatewaySeries)).isEqualTo(1);
		assertThat(total(after, "comfy_gateway_requests_total") - total(before, "comfy_gateway_requests_total"))
			.isEqualTo(1);
		awaitValue(bootSeries, value(before, bootSeries) + 1);
	}

	@Test
	void requestWhenRepeatedIsCountedEachTime() throws IOException {
		get();
		String gatewaySeries = "comfy_gateway_requests_total{result=\"hit\"}";
		String bootSeries = serverRequests("GET", 200, "/api/prompt");
		String before = prometheus();
		try (RawConnection caller = new RawConnection(port)) {
			for (int i = 0; i < 50; i++) {
				caller.send(RawConnection.request("GET", "/api/prompt"));
				assertThat(caller.read().status()).isEqualTo(200);
			}
		}
		assertThat(value(gatewaySeries) - value(before, gatewaySeries)).isEqualTo(50);
		awaitValue(bootSeries, value(before, bootSeries) + 50);
	}

	@Test
	void requestWhenCollapsedIsCountedOnce() throws IOException, InterruptedException {
		String bootSeries = serverRequests("GET", 200, "/api/prompt");
		String before = prometheus();
		Hold hold = upstream.hold();
		try (RawConnection first = new RawConnection(port); RawConnection second = new RawConnection(port)) {
			first.send(RawConnection.request("GET", "/api/prompt"));
			second.send(RawConnection.request("GET", "/api/prompt"));
			callers.await(2);
			hold.release();
			first.read();
			second.read();
		}
		finally {
			hold.release();
		}
		String after = prometheus();
		for (String result : Set.of("miss", "collapsed")) {
			String gatewaySeries = "comfy_gateway_requests_total{result=\"%s\"}".formatted(result);
			assertThat(value(after, gatewaySeries) - value(before, gatewaySeries)).isEqualTo(1);
		}
		awaitValue(bootSeries, value(before, bootSeries) + 2);
	}

	@ParameterizedTest
	@CsvSource({ "OPTIONS, /api/prompt, 204, /api/prompt", "POST, /api/prompt, 405, UNKNOWN",
			"GET, /livez, 200, /livez", "GET, /nope, 404, /**" })
	void requestWhenNotForPromptIsCountedByBootOnly(String method, String path, int status, String uri)
			throws IOException {
		String bootSeries = serverRequests(method, status, uri);
		String before = prometheus();
		RawConnection.exchange(port, RawConnection.request(method, path));
		awaitValue(bootSeries, value(before, bootSeries) + 1);
		assertThat(total(prometheus(), "comfy_gateway_requests_total"))
			.isEqualTo(total(before, "comfy_gateway_requests_total"));
	}

	@ParameterizedTest
	@CsvSource({ "REFUSE, unauthorized, 1", "FORBID, forbidden, 1", "LIMIT, rate_limited, 1", "FAIL, server_error, 1",
			"UNAVAILABLE, server_error, 2", "RUBBISH, invalid, 1", "CLOSE, unreachable, 2", "NORMAL, ok, 1" })
	void attemptIsCountedByItsOutcome(String behaviour, String outcome, int attempts) throws IOException {
		upstream.behave(behaviour(behaviour));
		String gatewaySeries = "comfy_gateway_upstream_requests_seconds_count{outcome=\"%s\"}".formatted(outcome);
		String before = prometheus();
		int receivedBefore = upstream.received().size();
		get();
		String after = prometheus();
		assertThat(upstream.received()).hasSize(receivedBefore + attempts);
		assertThat(value(after, gatewaySeries) - value(before, gatewaySeries)).isEqualTo(attempts);
		assertThat(total(after, "comfy_gateway_upstream_requests_seconds_count")
				- total(before, "comfy_gateway_upstream_requests_seconds_count"))
			.isEqualTo(attempts);
	}

	private static Behaviour behaviour(String name) {
		return switch (name) {
			case "REFUSE" -> Behaviour.REFUSE;
			case "FORBID" -> Behaviour.FORBID;
			case "LIMIT" -> Behaviour.LIMIT;
			case "FAIL" -> Behaviour.FAIL;
			case "UNAVAILABLE" -> Behaviour.UNAVAILABLE;
			case "RUBBISH" -> Behaviour.RUBBISH;
			case "CLOSE" -> Behaviour.CLOSE;
			default -> Behaviour.NORMAL;
		};
	}

	@Test
	void labelsContainNoTextOfCallers() throws IOException {
		for (int i = 0; i < 30; i++) {
			for (int server : new int[] { port, managementPort }) {
				String word = "INVENTED" + i;
				RawConnection.exchange(server, RawConnection.request(word, "/" + word, "X-Word: " + word));
				RawConnection.exchange(server, RawConnection.request(word, "/api/prompt"));
				RawConnection.get(server, "/" + word + "?" + word, "Host-Word: " + word);
				RawConnection.get(server, "/livez/" + word);
				RawConnection.get(server, "/webjars/" + word);
				RawConnection.get(server, "/v3/api-docs/" + word);
				RawConnection.get(server, "/actuator/health/" + word);
				RawConnection.get(server, "/actuator/metrics/" + word);
				RawConnection.get(server, "/actuator/metrics/jvm.memory.used?tag=" + word + ":" + word);
				RawConnection.get(server, "/api/prompt", "Cache-Control: " + word, "If-None-Match: \"" + word + "\"",
						"Origin: https://" + word, "User-Agent: " + word);
			}
		}
		assertThat(prometheus()).doesNotContainIgnoringCase("INVENTED");
		assertThat(RawConnection.get(managementPort, "/actuator/metrics/http.server.requests").body())
			.doesNotContainIgnoringCase("INVENTED");
	}

	@Test
	void healthWhenUpstreamAnswersHasStateAnswering() throws IOException {
		get();
		time.advance(Duration.ofSeconds(7));
		JsonNode health = health();
		assertThat(health.at("/status").asString()).isEqualTo("UP");
		JsonNode component = health.at("/components/upstream");
		assertThat(component.at("/status").asString()).isEqualTo("UP");
		assertThat(component.at("/details/state").asString()).isEqualTo("answering");
		assertThat(component.at("/details/lastGoodAt").asString()).isEqualTo(time.instant().minusSeconds(7).toString());
	}

	@Test
	void healthWhenUpstreamFailsHasStateFailingAndStaysUp() throws IOException {
		get();
		upstream.behave(Behaviour.LIMIT);
		time.advance(Duration.ofSeconds(10));
		get();
		JsonNode health = health();
		assertThat(health.at("/status").asString()).isEqualTo("UP");
		JsonNode component = health.at("/components/upstream");
		assertThat(component.at("/status").asString()).isEqualTo("FAILING");
		assertThat(component.at("/details/code").asString()).isEqualTo("RATE_LIMITED");
		assertThat(component.at("/details/reason").asString()).isEqualTo("429");
		assertThat(component.at("/details/lastGoodAt").asString())
			.isEqualTo(time.instant().minusSeconds(10).toString());
		assertThat(component.at("/details/nextAttemptAt").asString())
			.isEqualTo(time.instant().plusSeconds(7).toString());
	}

	@ParameterizedTest
	@ValueSource(strings = { "/livez", "/readyz" })
	void probeWhenUpstreamFailsIsUpWithoutDetails(String probe) throws IOException {
		upstream.behave(Behaviour.REFUSE);
		get();
		Response response = RawConnection.get(port, probe);
		assertThat(response.status()).isEqualTo(200);
		assertThat(response.body()).isEqualTo("{\"status\":\"UP\"}");
	}

	@Test
	void readinessWhenTrafficIsRefusedIsDownAndLivenessIsNot() throws IOException {
		AvailabilityChangeEvent.publish(context, ReadinessState.REFUSING_TRAFFIC);
		try {
			assertThat(RawConnection.get(port, "/readyz").status()).isEqualTo(503);
			assertThat(RawConnection.get(managementPort, "/actuator/health/readiness").status()).isEqualTo(503);
			assertThat(RawConnection.get(port, "/livez").status()).isEqualTo(200);
			assertThat(RawConnection.get(managementPort, "/actuator/health/liveness").status()).isEqualTo(200);
		}
		finally {
			AvailabilityChangeEvent.publish(context, ReadinessState.ACCEPTING_TRAFFIC);
		}
	}

	@Test
	void endpointsAreThoseExposed() throws IOException {
		JsonNode links = json("/actuator").get("_links");
		assertThat(links.propertyNames().stream().map(name -> name.split("-")[0]).collect(Collectors.toSet()))
			.containsExactlyInAnyOrder("self", "health", "info", "prometheus", "metrics", "caches", "sbom");
	}

	@ParameterizedTest
	@ValueSource(strings = { "/actuator/caches", "/actuator/caches/prompt", "/actuator/caches/prompt?cacheManager=x" })
	void cacheCannotBeCleared(String path) throws IOException {
		get();
		Response response = RawConnection.exchange(managementPort, RawConnection.request("DELETE", path));
		assertThat(response.status()).isEqualTo(405);
		GatewayErrors.assertError(response, "METHOD_NOT_ALLOWED");
		assertThat(get().header("Cache-Status")).hasValue("comfy-gateway; hit; ttl=2");
	}

	@Test
	void cacheIsListed() throws IOException {
		assertThat(json("/actuator/caches").at("/cacheManagers/cacheManager/caches").propertyNames())
			.containsExactly("prompt");
	}

	@Test
	void infoHasVersionAndNoBuildTime() throws IOException {
		get();
		JsonNode build = json("/actuator/info").get("build");
		assertThat(build.propertyNames()).containsExactlyInAnyOrder("artifact", "name", "group", "version");
		assertThat(upstream.received().getLast().header("User-Agent"))
			.containsExactly("comfy-gateway/" + build.get("version").asString());
	}

	@Test
	void infoHasCommit() throws IOException {
		assumeThat(getClass().getResource("/git.properties")).as("git.properties of the build").isNotNull();
		JsonNode git = json("/actuator/info").get("git");
		assertThat(git.propertyNames()).containsExactly("commit");
		assertThat(git.at("/commit/id/full").asString()).matches("[0-9a-f]{40}");
		assertThat(git.get("commit").propertyNames()).containsExactlyInAnyOrder("id", "time");
	}

	@Test
	void sbomListsComponentsAndNoBuildTime() throws IOException {
		assertThat(json("/actuator/sbom").get("ids").toString()).isEqualTo("[\"application\"]");
		JsonNode sbom = json("/actuator/sbom/application");
		assertThat(sbom.get("bomFormat").asString()).isEqualTo("CycloneDX");
		assertThat(sbom.get("components").valueStream().map(component -> component.get("name").asString()))
			.contains("caffeine", "spring-webmvc", "swagger-ui", "jetty-server")
			.doesNotContain("archunit", "spring-test", "reactor-netty-http");
		assertThat(sbom.propertyNames()).doesNotContain("serialNumber");
		assertThat(sbom.get("metadata").propertyNames()).doesNotContain("timestamp");
	}

	private JsonNode health() throws IOException {
		return json("/actuator/health");
	}

	private JsonNode json(String path) throws IOException {
		Response response = RawConnection.get(managementPort, path);
		assertThat(response.status()).isEqualTo(200);
		return new JsonMapper().readTree(response.body());
	}

	private Response get(String... headers) throws IOException {
		return RawConnection.get(port, "/api/prompt", headers);
	}

	private String prometheus() throws IOException {
		Response response = RawConnection.get(managementPort, "/actuator/prometheus");
		assertThat(response.status()).isEqualTo(200);
		return response.body();
	}

	private double value(String series) throws IOException {
		String text = prometheus();
		assertThat(text).contains("\n" + series + " ");
		return value(text, series);
	}

	/**
	 * Waits for a count, because Boot may count a request after its response was read.
	 */
	private void awaitValue(String series, double minimum) throws IOException {
		Awaitility.await(series)
			.pollDelay(Duration.ZERO)
			.until(() -> value(prometheus(), series), greaterThanOrEqualTo(minimum));
	}

	/** Returns the value of a series, or 0 if the series does not exist yet. */
	private static double value(String text, String series) {
		return text.lines()
			.filter(line -> line.startsWith(series + " "))
			.mapToDouble(line -> Double.parseDouble(line.substring(series.length() + 1)))
			.sum();
	}

	private static double total(String text, String name) {
		return text.lines()
			.filter(line -> line.startsWith(name + "{"))
			.mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
			.sum();
	}

	private static String serverRequests(String method, int status, String uri) {
		String outcome = switch (status / 100) {
			case 2 -> "SUCCESS";
			case 3 -> "REDIRECTION";
			default -> "CLIENT_ERROR";
		};
		return "http_server_requests_seconds_count{error=\"none\",exception=\"none\",method=\"%s\",outcome=\"%s\",status=\"%s\",uri=\"%s\"}"
			.formatted(method, outcome, status, uri);
	}

	/** Returns the names of metrics with the names of their labels. */
	private Set<String> series(String start) throws IOException {
		Set<String> series = new TreeSet<>();
		prometheus().lines().filter(line -> line.startsWith(start)).forEach(line -> {
			String name = line.replaceFirst("[{ ].*", "");
			String labels = LABEL.matcher(line).results().map(label -> label.group(1)).collect(Collectors.joining(","));
			series.add(labels.isEmpty() ? name : name + "{" + labels + "}");
		});
		return series;
	}

	private Set<String> values(String name, String label) throws IOException {
		Set<String> values = new TreeSet<>();
		prometheus().lines().filter(line -> line.startsWith(name + "{")).forEach(line -> {
			Matcher labels = LABEL.matcher(line);
			while (labels.find()) {
				if (labels.group(1).equals(label)) {
					values.add(labels.group(2));
				}
			}
		});
		return values;
	}

}
