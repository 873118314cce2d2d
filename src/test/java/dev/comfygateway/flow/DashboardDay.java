package dev.comfygateway.flow;

import dev.comfygateway.cache.PromptCache;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.support.FakeTime;
import dev.comfygateway.support.RunningGateway;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.LocalTime;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalManagementPort;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.context.annotation.Import;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.test.context.TestPropertySource;
import reactor.test.scheduler.VirtualTimeScheduler;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Recorder of the metrics of a simulated day, for {@code src/dashboard/draw}. Its name
 * keeps it out of {@code verify}, since it takes a minute.
 */
@RunningGateway
@Import(SimulatedDay.Surroundings.class)
@TestPropertySource(properties = { "comfy.api-key=", "comfy.deadline=2500ms", "gateway.fresh-for=5s" })
class DashboardDay {

	private static final String QUEUE = "comfy_gateway_queue_remaining";

	private static final String UP = "comfy_gateway_upstream_up";

	private static final String REQUESTS = "comfy_gateway_requests_total";

	private static final String ATTEMPTS = "comfy_gateway_upstream_requests_seconds_count";

	@TempDir
	private static Path secret;

	private static SimulatedDay day;

	@DynamicPropertySource
	static void keyFile(DynamicPropertyRegistry properties) throws IOException {
		SimulatedDay.give(keyFile(), SimulatedDay.OLD_KEY);
		properties.add("comfy.api-key-file", DashboardDay::keyFile);
	}

	private static Path keyFile() {
		return secret.resolve("key");
	}

	@BeforeAll
	static void live(@LocalServerPort int port, @LocalManagementPort int managementPort,
			@Autowired SimulatedComfyCloud upstream, @Autowired PromptCache cache, @Autowired FakeTime time,
			@Autowired VirtualTimeScheduler scheduler, @Autowired MeterRegistry meters) throws IOException {
		day = new SimulatedDay(port, managementPort, upstream, cache, time, scheduler, meters, keyFile());
		day.live(Path.of("target", "dashboard"));
	}

	@ParameterizedTest
	@ValueSource(strings = { "00:30", "08:00", "09:39", "10:05", "12:00", "14:05", "16:00", "18:19", "18:40", "23:30" })
	void ordinaryMinuteIsAllWell(LocalTime minute) {
		assertThat(day.value(minute, QUEUE)).isPresent();
		assertThat(day.value(minute, UP)).hasValue(1);
		assertThat(day.value(minute, "comfy_gateway_upstream_cooldown_seconds")).hasValue(0);
		assertThat(keyState(minute, "ok")).isEqualTo(1);
	}

	@Test
	void upstreamIsAskedOncePerFreshnessAtMost() {
		assertThat(day.increase(LocalTime.of(11, 0), LocalTime.of(12, 0), ATTEMPTS)).isBetween(500.0, 720.0);
		assertThat(day.increase(LocalTime.of(11, 0), LocalTime.of(12, 0), REQUESTS)).isGreaterThan(2000);
	}

	@Test
	void outageIsAnUnknownQueueAndErrors() {
		LocalTime amid = LocalTime.of(9, 50);
		assertThat(day.value(amid, QUEUE)).isEmpty();
		assertThat(day.value(amid, UP)).hasValue(0);
		assertThat(keyState(amid, "ok")).isEqualTo(1);
		assertThat(share(LocalTime.of(9, 45), amid, "error")).isEqualTo(1);
		assertThat(attempts(LocalTime.of(9, 40), amid, "timeout")).isPositive();
		assertThat(attempts(LocalTime.of(9, 40), amid, "server_error")).isPositive();
	}

	@Test
	void unsteadyUpstreamIsStaleAnswersAndFewErrors() {
		LocalTime from = LocalTime.of(13, 0);
		LocalTime to = LocalTime.of(14, 0);
		assertThat(share(from, to, "stale")).isGreaterThan(share(LocalTime.of(11, 0), LocalTime.of(12, 0), "stale"));
		assertThat(share(from, to, "error")).isLessThan(0.1);
		assertThat(attempts(from, to, "ok")).isPositive();
		assertThat(attempts(from, to, "server_error")).isPositive();
		assertThat(attempts(from, to, "invalid")).isPositive();
	}

	@Test
	void refusedKeyIsItsStateUntilItIsRotated() {
		LocalTime refused = LocalTime.of(15, 30);
		assertThat(keyState(refused, "rejected")).isEqualTo(1);
		assertThat(keyState(refused, "ok")).isZero();
		assertThat(keyState(refused, "unreadable")).isZero();
		assertThat(day.value(refused, QUEUE)).isEmpty();
		LocalTime unreadable = LocalTime.of(15, 45);
		assertThat(keyState(unreadable, "rejected")).isEqualTo(1);
		assertThat(keyState(unreadable, "unreadable")).isEqualTo(1);
		LocalTime rotated = LocalTime.of(15, 52);
		assertThat(keyState(rotated, "ok")).isEqualTo(1);
		assertThat(day.value(rotated, QUEUE)).isPresent();
	}

	@Test
	void limitedRateIsItsOutcome() {
		LocalTime from = LocalTime.of(18, 21);
		LocalTime to = LocalTime.of(18, 35);
		assertThat(attempts(from, to, "rate_limited")).isPositive().isEqualTo(day.increase(from, to, ATTEMPTS));
		assertThat(day.value(to.minusMinutes(5), "comfy_gateway_upstream_cooldown_seconds")).isPresent();
	}

	private double keyState(LocalTime minute, String state) {
		return day.value(minute, "comfy_gateway_api_key_state{state=\"%s\"}".formatted(state)).orElseThrow();
	}

	private double attempts(LocalTime from, LocalTime to, String outcome) {
		return day.increase(from, to, ATTEMPTS + "{outcome=\"%s\"}".formatted(outcome));
	}

	private double share(LocalTime from, LocalTime to, String result) {
		return day.increase(from, to, REQUESTS + "{result=\"%s\"}".formatted(result))
				/ day.increase(from, to, REQUESTS);
	}

}
