package dev.comfygateway.process;

import dev.comfygateway.simulator.Received;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.support.GatewayProcess;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RawConnection.Response;
import dev.comfygateway.support.TraceCollector;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;

class TracingIT {

	private static final String KEY = "key-of-the-tracing-test";

	private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

	private static final String CALLERS_SPAN = "00f067aa0ba902b7";

	/** Headers of a request that its caller traces. */
	static final String[] TRACED = { "traceparent: 00-%s-%s-01".formatted(TRACE, CALLERS_SPAN),
			"tracestate: vendor=CALLERS", "baggage: word=CALLERS", "b3: CALLERS" };

	private static final int HITS = 10;

	/** Headers of each request to the upstream. */
	static final List<String> HEADERS = List.of("host", "x-api-key", "accept", "user-agent");

	@Test
	void requestWhenTracingIsEnabledContinuesTheTraceOfTheCaller() throws Exception {
		try (TraceCollector collector = new TraceCollector();
				SimulatedComfyCloud upstream = SimulatedComfyCloud.start(0, KEY);
				GatewayProcess gateway = GatewayProcess.start(Map.of("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url()),
						"--comfy.api-key=" + KEY, "--comfy.base-url=" + upstream.baseUrl(), "--gateway.fresh-for=5m")) {
			gateway.awaitStart();
			String prompts = "http_server_requests_seconds_count{error=\"none\",exception=\"none\",method=\"GET\","
					+ "outcome=\"SUCCESS\",status=\"200\",uri=\"/api/prompt\"} ";
			Response fetched = RawConnection.get(gateway.port(), "/api/prompt", TRACED);
			assertThat(fetched.header("Cache-Status").orElseThrow()).contains("fwd=uri-miss");
			for (int i = 0; i < HITS; i++) {
				assertThat(
						RawConnection.get(gateway.port(), "/api/prompt", TRACED).header("Cache-Status").orElseThrow())
					.contains("; hit;");
			}
			awaitMetric(gateway, prompts + (HITS + 1));
			Received asked = upstream.received().getFirst();
			assertThat(names(asked)).containsAll(HEADERS)
				.contains("traceparent")
				.doesNotContain("tracestate", "baggage");
			assertThat(asked.headerLines()).noneMatch(line -> line.contains("CALLERS"));
			String traceparent = asked.header("traceparent").getFirst();
			assertThat(traceparent).matches("00-" + TRACE + "-[0-9a-f]{16}-01").doesNotContain(CALLERS_SPAN);
			gateway.terminate();
			gateway.awaitExit();
			assertThat(gateway.output()).doesNotContain("WARN", "ERROR");
			assertThat(collector.paths()).isNotEmpty().containsOnly("POST /v1/traces");
			String received = collector.received();
			// A span for each request, and one for its request to the upstream, which
			// received the span's id
			assertThat(count(received, TraceCollector.id(TRACE))).isEqualTo(HITS + 2);
			assertThat(count(received, TraceCollector.id(CALLERS_SPAN))).isEqualTo(HITS + 1);
			assertThat(received).contains("comfy-gateway", "http get /api/prompt",
					TraceCollector.id(traceparent.split("-")[2]));
			assertThat(received).doesNotContain(KEY, "livez", "actuator", "task");
		}
	}

	/** Names of a request's headers, in lower case. */
	static List<String> names(Received request) {
		return request.headerLines()
			.stream()
			.map(line -> line.substring(0, line.indexOf(':')).toLowerCase(Locale.ROOT))
			.toList();
	}

	/** Spring Boot counts a request after the caller has received the response. */
	private static void awaitMetric(GatewayProcess gateway, String line) throws IOException {
		Awaitility.await()
			.pollDelay(Duration.ZERO)
			.until(() -> RawConnection.get(gateway.managementPort(), "/actuator/prometheus").body(),
					containsString(line));
	}

	private static int count(String text, String part) {
		return text.split(Pattern.quote(part), -1).length - 1;
	}

}
