package dev.comfygateway.server;

import dev.comfygateway.support.GatewayErrors;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.TestGateway;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class BulkheadHandlerTests {

	/** The alert ComfyGatewaySaturated depends on this count. */
	@Test
	void requestsWhenNoThreadIsAvailableAreCountedAsRejected() throws IOException {
		try (TestGateway gateway = TestGateway.start("gateway.fresh-for=0s")) {
			exhaust(bean(gateway, HeapBudget.class));
			for (String method : new String[] { "GET", "HEAD", "GET" }) {
				RawConnection.Response response = RawConnection.exchange(gateway.port(),
						RawConnection.request(method, "/api/prompt"));
				assertThat(response.status()).isEqualTo(503);
			}
			GatewayErrors.assertError(RawConnection.get(gateway.port(), "/v3/api-docs"), "TOO_MANY_WAITING");
			assertThat(RawConnection.get(gateway.port(), "/livez").status()).isEqualTo(200);
			assertThat(bean(gateway, MeterRegistry.class).get("comfy.gateway.requests")
				.tag("result", "rejected")
				.counter()
				.count()).isEqualTo(3);
		}
	}

	@Test
	void probesWhenNoThreadIsAvailableAreServed() throws IOException {
		try (TestGateway gateway = TestGateway.start("management.server.base-path=/ops",
				"management.endpoints.web.base-path=/status", "management.endpoints.web.path-mapping.health=state",
				"management.endpoint.health.group.liveness.additional-path=server:/alive")) {
			exhaust(bean(gateway, HeapBudget.class));
			for (String path : new String[] { "/alive", "/readyz" }) {
				assertThat(RawConnection.get(gateway.port(), path).status()).as(path).isEqualTo(200);
			}
			for (String path : new String[] { "/health", "/api/prompt/health", "/status/state", "/livez/x" }) {
				GatewayErrors.assertError(RawConnection.get(gateway.port(), path), "TOO_MANY_WAITING");
			}
			for (String path : new String[] { "/ops/status/state", "/ops/status/state/readiness" }) {
				assertThat(RawConnection.get(gateway.managementPort(), path).status()).as(path).isEqualTo(200);
			}
			for (String path : new String[] { "/ops/status/metrics", "/ops/status/x/health", "/status/state" }) {
				assertThat(RawConnection.get(gateway.managementPort(), path).status()).as(path).isEqualTo(503);
			}
		}
	}

	@Test
	void probesWhenTheyAreOnTheCallersPortAreServed() throws IOException {
		try (TestGateway gateway = TestGateway.start("management.server.port=")) {
			exhaust(bean(gateway, HeapBudget.class));
			assertThat(RawConnection.get(gateway.port(), "/actuator/health").status()).isEqualTo(200);
			assertThat(RawConnection.get(gateway.port(), "/actuator/metrics").status()).isEqualTo(503);
		}
	}

	/** Exhausts the budget with requests on threads. */
	private static void exhaust(HeapBudget heap) {
		while (heap.tryMakeRoom()) {
			for (int i = 0; i < 1000; i++) {
				heap.enterThread();
			}
		}
	}

	private static <T> T bean(TestGateway gateway, Class<T> type) {
		return gateway.singletons().stream().filter(type::isInstance).map(type::cast).findFirst().orElseThrow();
	}

}
