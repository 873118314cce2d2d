package dev.comfygateway.process;

import dev.comfygateway.simulator.Hold;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.support.GatewayErrors;
import dev.comfygateway.support.GatewayProcess;
import dev.comfygateway.support.Http2Connection;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RawConnection.Response;
import dev.comfygateway.support.TestGateway;
import java.io.IOException;
import java.net.ConnectException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.eclipse.jetty.http2.ErrorCode;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class ShutdownIT {

	private static final String KEY = "key-of-a-gateway-that-ends";

	/** More than the number of platform threads. */
	private static final int CALLERS = 100;

	@Test
	void processWhenTerminatedCompletesWaitingRequestsAndRejectsNewOnes() throws Exception {
		try (SimulatedComfyCloud upstream = SimulatedComfyCloud.start(0, KEY);
				GatewayProcess gateway = GatewayProcess.startInSmallHeap(Map.of(), "--comfy.api-key=" + KEY,
						"--comfy.base-url=" + upstream.baseUrl(), "--comfy.deadline=30s");
				RawConnection kept = new RawConnection(gateway.awaitStart().port())) {
			assertThat(kept.send(RawConnection.request("GET", "/livez")).read().status()).isEqualTo(200);
			Hold hold = upstream.hold();
			List<RawConnection> callers = new ArrayList<>();
			for (int i = 0; i < CALLERS; i++) {
				callers.add(new RawConnection(gateway.port()).send(RawConnection.request("GET", "/api/prompt")));
			}
			Awaitility.await()
				.atMost(20, TimeUnit.SECONDS)
				.until(() -> RawConnection.get(gateway.managementPort(), "/actuator/prometheus")
					.body()
					.contains("comfy_gateway_callers_waiting %s.0\n".formatted(CALLERS)));
			gateway.terminate();
			gateway.awaitOutput("Commencing graceful shutdown");
			Awaitility.await()
				.atMost(20, TimeUnit.SECONDS)
				.untilAsserted(() -> assertThatExceptionOfType(ConnectException.class)
					.isThrownBy(() -> new RawConnection(gateway.port()).close()));
			assertAnsweredDuringShutdown(kept);
			hold.release();
			for (RawConnection caller : callers) {
				Response response = caller.read();
				assertThat(response.status()).isEqualTo(200);
				assertThat(response.header("Connection")).hasValue("close");
				assertThat(caller.readToEnd()).isEmpty();
				caller.close();
			}
			assertThat(gateway.awaitExit()).isEqualTo(128 + 15);
			assertThat(gateway.output()).doesNotContain("WARN", "ERROR");
		}
	}

	@Test
	void processWhenTerminatedSendsGoAwayAndCompletesStreams() throws Exception {
		try (SimulatedComfyCloud upstream = SimulatedComfyCloud.start(0, KEY);
				GatewayProcess gateway = GatewayProcess.startInSmallHeap(Map.of(), "--comfy.api-key=" + KEY,
						"--comfy.base-url=" + upstream.baseUrl(), "--comfy.deadline=30s",
						"--server.http2.enabled=true");
				Http2Connection caller = new Http2Connection(gateway.awaitStart().port());
				Http2Connection idle = new Http2Connection(gateway.port())) {
			assertThat(idle.read(idle.request(RawConnection.request("GET", "/livez"))).status()).isEqualTo(200);
			Hold hold = upstream.hold();
			List<Integer> streams = new ArrayList<>();
			for (int i = 0; i < CALLERS; i++) {
				streams.add(caller.request(RawConnection.request("GET", "/api/prompt")));
			}
			hold.awaitArrival(1);
			gateway.terminate();
			idle.awaitGoAway();
			caller.awaitGoAway();
			hold.release();
			for (int stream : streams) {
				assertThat(caller.read(stream).status()).isEqualTo(200);
			}
			assertThat(caller.awaitEnd()).isEqualTo(ErrorCode.NO_ERROR.code);
			assertThat(gateway.awaitExit()).isEqualTo(128 + 15);
			assertThat(gateway.output()).doesNotContain("WARN", "ERROR");
		}
	}

	/** Connections opened before the shutdown get one more response. */
	private static void assertAnsweredDuringShutdown(RawConnection kept) throws IOException {
		Response response = kept.send(RawConnection.request("GET", "/livez")).read();
		if (response.status() != 200) {
			assertThat(response.status()).isEqualTo(503);
			GatewayErrors.assertError(response, "SHUTTING_DOWN");
		}
		assertThat(response.header("Connection")).hasValue("close");
	}

	@Test
	void headWhenItArrivesByteByByteTimesOut() throws Exception {
		try (TestGateway gateway = TestGateway.start("server.jetty.connection-idle-timeout=1s");
				RawConnection slow = new RawConnection(gateway.port())) {
			slow.send("GET /api/prompt HTTP/1.1\r\nX: ");
			Awaitility.await()
				.atMost(20, TimeUnit.SECONDS)
				.pollInterval(200, TimeUnit.MILLISECONDS)
				.untilAsserted(() -> assertThatExceptionOfType(IOException.class).isThrownBy(() -> slow.send("x")));
			assertThat(RawConnection.get(gateway.port(), "/api/prompt").status()).isEqualTo(200);
		}
	}

}
