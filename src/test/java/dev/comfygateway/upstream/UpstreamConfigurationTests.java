package dev.comfygateway.upstream;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.autoconfigure.context.LifecycleProperties;

import static org.assertj.core.api.Assertions.assertThat;

class UpstreamConfigurationTests {

	@ParameterizedTest
	@CsvSource({ "PT2.5S, PT30S, 30000", "PT60S, PT30S, 62000", "PT2.5S, PT1S, 4500", "PT60S, PT90S, 90000" })
	void shutdownTimeoutCoversTheDeadline(Duration deadline, Duration configured, long expected) {
		LifecycleProperties lifecycle = new LifecycleProperties();
		lifecycle.setTimeoutPerShutdownPhase(configured);
		ComfyProperties properties = new ComfyProperties(null, null, "http://localhost", ComfyProperties.Auth.NONE,
				false, Duration.ofSeconds(1), deadline);
		assertThat(new UpstreamConfiguration().lifecycleProcessor(lifecycle, properties))
			.extracting("timeoutPerShutdownPhase")
			.isEqualTo(expected);
	}

}
