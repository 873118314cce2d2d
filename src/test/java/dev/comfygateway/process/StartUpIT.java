package dev.comfygateway.process;

import dev.comfygateway.simulator.Hold;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.support.GatewayProcess;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RawConnection.Response;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** Tests of the start of the gateway as a process. */
class StartUpIT {

	private static final String KEY = "key-of-the-start-test";

	@TempDir
	private static Path directory;

	@Test
	void processWhenKeyIsMissingReportsItAndExits() throws Exception {
		try (GatewayProcess process = GatewayProcess.start(Map.of())) {
			assertThat(process.awaitExit()).isEqualTo(1);
			assertThat(process.output())
				.contains("APPLICATION FAILED TO START",
						"The setting comfy.api-key (environment variable COMFY_API_KEY) is missing",
						"Set COMFY_API_KEY to a key")
				.doesNotContain("\tat ");
		}
	}

	@Test
	void processWhenSystemPropertyNamesNoSettingReportsItAndExits() throws Exception {
		try (GatewayProcess process = GatewayProcess
			.start(Map.of("COMFY_API_KEY", KEY, "JAVA_TOOL_OPTIONS", "-Dgateway.ttl=2s"))) {
			assertThat(process.awaitExit()).isEqualTo(1);
			assertThat(process.output()).contains("APPLICATION FAILED TO START", "Unknown settings: gateway.ttl.")
				.doesNotContain("\tat ");
		}
	}

	@Test
	void processWithoutATemporaryDirectoryEndsWithAReport() throws Exception {
		try (GatewayProcess process = GatewayProcess.start(
				Map.of("COMFY_API_KEY", KEY, "JAVA_TOOL_OPTIONS", "-Djava.io.tmpdir=" + directory.resolve("none")))) {
			assertThat(process.awaitExit()).isEqualTo(1);
			assertThat(process.output()).contains("APPLICATION FAILED TO START", "java.io.tmpdir is set to")
				.doesNotContain("\tat ", "Exception");
		}
	}

	/** With many processors, as in a container without a CPU limit. */
	@Test
	void processWithoutCallersFleetAndCollectorIsIdleAndLoadsNoUnusedClasses() throws Exception {
		Path loaded = directory.resolve("loaded");
		try (SimulatedComfyCloud upstream = SimulatedComfyCloud.start(0, KEY);
				GatewayProcess gateway = GatewayProcess
					.start(Map.of("COMFY_API_KEY", KEY, "COMFY_BASE_URL", upstream.baseUrl(), "JAVA_TOOL_OPTIONS",
							"-XX:ActiveProcessorCount=96 -Xlog:class+load:file=" + loaded))) {
			gateway.awaitStart();
			assertThat(upstream.connections()).isZero();
			// The warm-up is not counted as an attempt or a request
			assertThat(RawConnection.get(gateway.managementPort(), "/actuator/prometheus").body())
				.contains("comfy_gateway_upstream_requests_seconds_count{outcome=\"ok\"} 0\n",
						"comfy_gateway_requests_total{result=\"error\"} 0.0\n")
				.doesNotContain("http_client_requests", "uri=\"/livez\"", "fleet");
			assertThat(RawConnection.get(gateway.port(), "/livez").status()).isEqualTo(200);
			assertThat(RawConnection.get(gateway.port(), "/api/prompt").status()).isEqualTo(200);
			assertThat(RawConnection.get(gateway.port(), "/v3/api-docs").status()).isEqualTo(200);
			assertThat(RawConnection.get(gateway.managementPort(), "/actuator/health").body()).doesNotContain("fleet",
					"redis");
			assertThat(RawConnection.get(gateway.managementPort(), "/actuator/prometheus").body())
				.doesNotContain("fleet");
			assertThat(Files.readAllLines(loaded)).anyMatch(line -> line.contains(" dev.comfygateway."))
				.noneMatch(line -> line.contains(" io.lettuce.") || line.contains(" io.netty.")
						|| line.matches(".* io\\.opentelemetry\\.(api|sdk|exporter)\\..*"));
		}
	}

	@Test
	void processWithoutCollectorWhenTerminatedCompletesRequestsInFlightWithoutTracing() throws Exception {
		try (SimulatedComfyCloud upstream = SimulatedComfyCloud.start(0, KEY);
				// Variables that Kubernetes sets in a pod for a Service
				GatewayProcess gateway = GatewayProcess.start(Map.of("COMFY_API_KEY_FILE", file("key", KEY + "\n"),
						"COMFY_BASE_URL", upstream.baseUrl() + "/", "COMFY_DEADLINE", "30s",
						"COMFY_GATEWAY_SERVICE_HOST", "10.0.0.1", "COMFY_GATEWAY_PORT", "tcp://10.0.0.1:8080",
						// Empty, as set by a chart without a value
						"OTEL_EXPORTER_OTLP_ENDPOINT", "", "MANAGEMENT_OPENTELEMETRY_TRACING_EXPORT_OTLP_ENDPOINT",
						""))) {
			gateway.awaitStart();
			assertThat(RawConnection.get(gateway.port(), "/readyz").status()).isEqualTo(200);
			assertThat(RawConnection.get(gateway.managementPort(), "/actuator/health").status()).isEqualTo(200);
			Hold hold = upstream.hold();
			try (RawConnection caller = new RawConnection(gateway.port())) {
				caller.send(RawConnection.request("GET", "/api/prompt", TracingIT.TRACED));
				hold.awaitArrival(1);
				assertThat(TracingIT.names(upstream.received().getFirst())).containsAll(TracingIT.HEADERS)
					.doesNotContain("traceparent", "tracestate", "baggage", "b3");
				gateway.terminate();
				gateway.awaitOutput("Commencing graceful shutdown");
				hold.release();
				Response response = caller.read();
				assertThat(response.status()).isEqualTo(200);
				assertThat(response.header("Cache-Status")).hasValue("comfy-gateway; fwd=uri-miss; stored; ttl=2");
			}
			// Exit status of the JVM after SIGTERM
			assertThat(gateway.awaitExit()).isEqualTo(128 + 15);
			assertThat(gateway.output()).doesNotContain(KEY, "ERROR", "WARN")
				.doesNotContainIgnoringCase("telemetry")
				// A trace id would appear here
				.doesNotContain("[comfy-gateway] [                ]");
		}
	}

	private static String file(String name, String content) throws IOException {
		return Files.write(directory.resolve(name), content.getBytes(StandardCharsets.UTF_8)).toString();
	}

}
