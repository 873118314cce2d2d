package dev.comfygateway.process;

import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.support.GatewayProcess;
import dev.comfygateway.support.RawConnection;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class AccessLogIT {

	private static final String KEY = "key-of-the-access-log-test";

	private static final int TIMES = 20;

	@Test
	void logWhenEnabledHasALinePerRequestWithoutTextFromCallers() throws Exception {
		List<String> lines = requests();
		assertThat(lines).filteredOn(line -> line.contains("/api/prompt"))
			.hasSize(TIMES + 2)
			.allMatch(line -> line
				.matches("\\[\\d{4}-\\d\\d-\\d\\dT\\S+Z] 127\\.0\\.0\\.1 \\d+ \"GET /api/prompt\" 200 35 \\d+ \".+\""))
			.filteredOn(line -> line.contains("\"comfy-gateway; hit; ttl="))
			.hasSize(TIMES + 1);
		assertThat(lines).filteredOn(line -> line.contains("\"GET /actuator/info\" 200")).hasSize(1);
		assertThat(lines).noneMatch(line -> line.contains("SECRET") || line.contains(KEY));
	}

	/** Output lines of a gateway that has handled repeated requests. */
	private static List<String> requests() throws IOException, InterruptedException {
		try (SimulatedComfyCloud upstream = SimulatedComfyCloud.start(0, KEY);
				GatewayProcess gateway = GatewayProcess.start(Map.of("SERVER_JETTY_ACCESSLOG_ENABLED", "true"),
						"--comfy.api-key=" + KEY, "--comfy.base-url=" + upstream.baseUrl(), "--gateway.fresh-for=5m")) {
			upstream.queueRemaining(7);
			gateway.awaitStart();
			RawConnection.get(gateway.port(), "/api/prompt");
			try (RawConnection caller = new RawConnection(gateway.port())) {
				for (int i = 0; i < TIMES; i++) {
					caller.send(RawConnection.request("GET", "/api/prompt"));
					assertThat(caller.read().status()).isEqualTo(200);
				}
			}
			RawConnection.get(gateway.port(), "/api/prompt?word=SECRET", "Authorization: SECRET", "User-Agent: SECRET");
			RawConnection.get(gateway.managementPort(), "/actuator/info");
			gateway.terminate();
			gateway.awaitExit();
			return gateway.output().lines().toList();
		}
	}

}
