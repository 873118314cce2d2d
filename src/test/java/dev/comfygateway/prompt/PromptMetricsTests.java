package dev.comfygateway.prompt;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.springframework.boot.micrometer.observation.autoconfigure.ObservationProperties;

import static org.assertj.core.api.Assertions.assertThat;

class PromptMetricsTests {

	@Test
	void serverRequestsHasConfiguredNameAndTags() {
		ObservationProperties observations = new ObservationProperties();
		observations.setKeyValues(Map.of("team", "render"));
		observations.getHttp().getServer().getRequests().setName("requests");
		Meter.Id id = new PromptMetrics(new SimpleMeterRegistry(), observations).serverRequests("GET", 200).getId();
		assertThat(id.getName()).isEqualTo("requests");
		assertThat(id.getTag("team")).isEqualTo("render");
		assertThat(id.getTag("uri")).isEqualTo("/api/prompt");
	}

}
