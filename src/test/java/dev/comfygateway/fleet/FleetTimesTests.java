package dev.comfygateway.fleet;

import dev.comfygateway.support.GatewaySettings;
import java.time.Duration;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class FleetTimesTests {

	private final FleetTimes times = FleetTimes.of(Duration.ofMillis(2500), Duration.ofMillis(250),
			GatewaySettings.with());

	@Test
	void leaseCoversAFetchAndItsPublication() {
		assertThat(times.lease()).isEqualTo(Duration.ofMillis(2750));
		assertThat(times.maxClaim()).isGreaterThan(times.lease());
	}

	@Test
	void backgroundWaitLeavesTimeForTheCommandsAround() {
		assertThat(times.maxBackgroundWait()).isEqualTo(Duration.ofSeconds(2));
	}

	@Test
	void resultsAreKeptLongerThanTheyMayBeServed() {
		assertThat(FleetTimes
			.of(Duration.ofSeconds(60), Duration.ofSeconds(15), GatewaySettings.with("stale-if-error=24h"))
			.retention()).isGreaterThan(Duration.ofHours(24));
	}

}
