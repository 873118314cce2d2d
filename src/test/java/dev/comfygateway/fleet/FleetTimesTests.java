package dev.comfygateway.fleet;

import dev.comfygateway.support.GatewaySettings;
import java.time.Duration;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class FleetTimesTests {

	private final FleetTimes times = FleetTimes.of(Duration.ofMillis(2500), Duration.ofMillis(250),
			GatewaySettings.with());

	@Test
	void fetchThenLeaseThenDeadlineEnd() {
		assertThat(times.fetch(Duration.ZERO)).isEqualTo(Duration.ofMillis(2250));
		assertThat(times.lease(Duration.ZERO)).isEqualTo(Duration.ofMillis(2375));
		assertThat(times.fetch(Duration.ofSeconds(1))).isEqualTo(Duration.ofMillis(1250));
		assertThat(times.fetchAlone(Duration.ofSeconds(1))).isEqualTo(Duration.ofMillis(1500));
	}

	@Test
	void lateFetchHasTheTimeOfOneCommand() {
		assertThat(times.fetch(Duration.ofMillis(2400))).isEqualTo(Duration.ofMillis(250));
		assertThat(times.fetchAlone(Duration.ofSeconds(3))).isEqualTo(Duration.ofMillis(250));
	}

	@Test
	void resultsAreKeptLongerThanTheyCanServe() {
		assertThat(FleetTimes
			.of(Duration.ofSeconds(60), Duration.ofSeconds(15), GatewaySettings.with("stale-if-error=24h"))
			.retention()).isGreaterThan(Duration.ofHours(24));
	}

}
