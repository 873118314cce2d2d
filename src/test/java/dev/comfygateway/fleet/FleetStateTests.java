package dev.comfygateway.fleet;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

import static org.assertj.core.api.Assertions.assertThat;

@ExtendWith(OutputCaptureExtension.class)
class FleetStateTests {

	private final SimpleMeterRegistry meters = new SimpleMeterRegistry();

	private final FleetState state = new FleetState(meters);

	@Test
	void stateHasTheCodeOfTheFailureAndAGauge() {
		assertThat(state.code()).isEqualTo("connecting");
		assertThat(gauge()).isZero();
		state.up();
		assertThat(state.code()).isEqualTo("ok");
		assertThat(gauge()).isOne();
		state.down(FleetFailure.OOM);
		assertThat(state.code()).isEqualTo("oom");
		assertThat(gauge()).isZero();
	}

	@Test
	void changeIsLoggedOnceForEachCause(CapturedOutput output) {
		state.up();
		state.up();
		state.down(FleetFailure.TIMEOUT);
		state.down(FleetFailure.TIMEOUT);
		state.down(FleetFailure.UNREACHABLE);
		state.up();
		assertThat(output.toString().lines().map(line -> line.replaceFirst(".*(?=Fleet: )", ""))).containsExactly(
				"Fleet: answers are shared through Redis",
				"Fleet: Redis is unavailable: timeout; this replica sends its own requests to the upstream",
				"Fleet: Redis is unavailable: unreachable; this replica sends its own requests to the upstream",
				"Fleet: Redis is available again after 0 s");
	}

	@Test
	void recoveredCompletesWhenRedisRecovers() {
		CompletableFuture<Void> first = state.recovered();
		state.up();
		assertThat(first).isCompleted();
		state.down(FleetFailure.LOADING);
		CompletableFuture<Void> second = state.recovered();
		state.down(FleetFailure.BUSY);
		assertThat(second).isNotDone().isSameAs(state.recovered());
		state.up();
		assertThat(second).isCompleted();
	}

	private double gauge() {
		return meters.get("comfy.gateway.fleet.up").gauge().value();
	}

}
