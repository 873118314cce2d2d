package dev.comfygateway.upstream;

import dev.comfygateway.simulator.Behaviour;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/** Tests that failures leak no descriptors and no threads of this process. */
class UpstreamLeaksTests {

	private static final Duration TIMEOUT = Duration.ofSeconds(1);

	@Test
	void fetchWhenFailedAThousandTimesLeavesDescriptorsAndThreadsAsBefore() {
		List<Behaviour> quick = List.copyOf(UpstreamHttpClientFactoryIT.quick().values());
		List<Behaviour> all = List.copyOf(UpstreamHttpClientFactoryIT.all().values());
		try (SimulatedComfyCloud upstream = SimulatedComfyCloud.start(0, ClientFixture.KEY);
				ClientFixture fixture = ClientFixture.withShortDeadline(upstream.baseUrl())) {
			for (Behaviour behaviour : all) {
				upstream.behave(behaviour);
				fixture.fetch();
			}
			await().atMost(TIMEOUT).until(() -> OpenSockets.to(upstream.port()) <= 1);
			long descriptors = OpenSockets.descriptors();
			int threads = Thread.activeCount();
			for (int i = 0; i < 1000; i++) {
				upstream.behave(i % 100 == 0 ? all.get(all.size() - 1 - i / 100) : quick.get(i % quick.size()));
				fixture.fetch();
			}
			await().atMost(TIMEOUT).untilAsserted(() -> {
				assertThat(upstream.openConnections()).isLessThanOrEqualTo(1);
				assertThat(OpenSockets.to(upstream.port())).isLessThanOrEqualTo(1);
				assertThat(OpenSockets.descriptors()).isLessThanOrEqualTo(descriptors + 1);
			});
			assertThat(Thread.activeCount()).isLessThanOrEqualTo(threads + 6);
			upstream.behave(Behaviour.NORMAL);
			await().atMost(TIMEOUT).until(() -> fixture.fetch() instanceof UpstreamAnswer);
		}
	}

}
