package dev.comfygateway.cache;

import dev.comfygateway.support.FakeTime;
import dev.comfygateway.upstream.PromptInfo;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import dev.comfygateway.upstream.UpstreamAnswer;
import io.micrometer.core.instrument.Clock;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.beans.factory.support.StaticListableBeanFactory;

import static dev.comfygateway.cache.CacheUnderTest.NANO;
import static org.assertj.core.api.Assertions.assertThat;

class UpstreamGaugesTests {

	private static final String QUEUE = "comfy_gateway_queue_remaining ";

	private static final String OBSERVED = "comfy_gateway_queue_observed_timestamp_seconds ";

	private static final String UP = "comfy_gateway_upstream_up ";

	private static final String COOLDOWN = "comfy_gateway_upstream_cooldown_seconds ";

	private static final String OK = "comfy_gateway_api_key_state{state=\"ok\"} ";

	private static final String REJECTED = "comfy_gateway_api_key_state{state=\"rejected\"} ";

	private static final String UNREADABLE = "comfy_gateway_api_key_state{state=\"unreadable\"} ";

	private final CacheUnderTest cache = new CacheUnderTest();

	private final PrometheusRegistry prometheus = new PrometheusRegistry();

	private final PrometheusMeterRegistry meters = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT, prometheus,
			Clock.SYSTEM);

	@BeforeEach
	void register() {
		StaticListableBeanFactory beans = new StaticListableBeanFactory();
		beans.addBean("prometheus", prometheus);
		new UpstreamGauges(cache.cache, cache.upstream.client(), cache.time, meters,
				beans.getBeanProvider(PrometheusRegistry.class));
	}

	@Test
	void scrapeWhenNothingIsKnownOmitsQueueAndUp() {
		assertThat(meters.scrape()).doesNotContain(QUEUE.strip(), OBSERVED.strip(), UP.strip());
	}

	@Test
	void scrapeWhenQueueIsKnownShowsIt() {
		cache.fetch(7);
		assertThat(lines()).contains(QUEUE + "7.0", UP + "1.0");
	}

	@Test
	void scrapeWhenQueueIsKnownShowsTimeOfItsArrival() {
		cache.fetch(7);
		cache.advanceSeconds(1);
		assertThat(value(OBSERVED)).isEqualTo(FakeTime.START.getEpochSecond());
	}

	@Test
	void scrapeWhenQueueIsEmptyShowsZero() {
		cache.fetch(0);
		assertThat(lines()).contains(QUEUE + "0.0");
	}

	@Test
	void scrapeWhenUpstreamSentNoNumberHasNoQueue() {
		cache.lookup();
		cache.upstream.complete(new UpstreamAnswer(new PromptInfo(null), 1));
		assertThat(meters.scrape()).doesNotContain(QUEUE.strip()).contains(OBSERVED, UP + "1.0");
	}

	@Test
	void scrapeShowsWhetherLastGoodAnswerHadNumber() {
		assertThat(meters.scrape()).doesNotContain("comfy_gateway_queue_known");
		cache.lookup();
		cache.upstream.complete(new UpstreamAnswer(new PromptInfo(new PromptInfo.ExecInfo(null)), 1));
		assertThat(lines()).contains("comfy_gateway_queue_known 0.0");
		fail(Reason.RESPONSE_TIMEOUT);
		assertThat(lines()).contains("comfy_gateway_queue_known 0.0");
		cache.advanceSeconds(60);
		cache.fetch(7);
		assertThat(lines()).contains("comfy_gateway_queue_known 1.0");
	}

	@Test
	void scrapeWhenAnswerMayStillBeServedShowsQueue() {
		cache.fetch(7);
		cache.advance(Duration.ofSeconds(32).minus(NANO));
		assertThat(lines()).contains(QUEUE + "7.0");
	}

	@Test
	void scrapeWhenAnswerIsTooOldHasNoQueue() {
		cache.fetch(7);
		cache.advanceSeconds(32);
		assertThat(meters.scrape()).doesNotContain(QUEUE.strip(), OBSERVED.strip()).contains(UP + "1.0");
	}

	@ParameterizedTest
	@EnumSource(names = { "UNAUTHORIZED", "FORBIDDEN" })
	void scrapeWhenKeyIsRefusedHasNoQueue(Reason reason) {
		cache.fetch(7);
		fail(reason);
		assertThat(meters.scrape()).doesNotContain(QUEUE.strip(), OBSERVED.strip()).contains(UP + "0.0");
	}

	@ParameterizedTest
	@EnumSource(names = { "RESPONSE_TIMEOUT", "BLOCKED", "TUNNEL_REFUSED" })
	void scrapeWhenUpstreamFailedKeepsQueueAndKeyState(Reason reason) {
		cache.fetch(7);
		fail(reason);
		assertThat(lines()).contains(QUEUE + "7.0", UP + "0.0", OK + "1.0", REJECTED + "0.0");
	}

	@Test
	void scrapeWhenKeyChangedOmitsQueueAndUp() {
		cache.fetch(7);
		cache.upstream.changeKey();
		assertThat(meters.scrape()).doesNotContain(QUEUE.strip(), OBSERVED.strip(), UP.strip());
	}

	@Test
	void scrapeWhenNothingFailedHasNoCooldownAndKeyIsOk() {
		assertThat(lines()).contains(COOLDOWN + "0.0", OK + "1.0", REJECTED + "0.0", UNREADABLE + "0.0");
	}

	@Test
	void scrapeWhenCoolingDownShowsSecondsLeft() {
		cache.fetch(7);
		fail(Reason.RESPONSE_TIMEOUT);
		cache.advance(Duration.ofMillis(250));
		assertThat(value(COOLDOWN)).isEqualTo(0.75);
	}

	@Test
	void scrapeWhenCooldownIsOverShowsZero() {
		cache.fetch(7);
		fail(Reason.RESPONSE_TIMEOUT);
		cache.advanceSeconds(1);
		assertThat(lines()).contains(COOLDOWN + "0.0");
	}

	@ParameterizedTest
	@EnumSource(names = { "UNAUTHORIZED", "FORBIDDEN" })
	void scrapeWhenKeyIsRefusedShowsRejected(Reason reason) {
		cache.fetch(7);
		fail(reason);
		assertThat(lines()).contains(OK + "0.0", REJECTED + "1.0", UNREADABLE + "0.0");
	}

	@Test
	void scrapeWhenFailureFollowsRefusedKeyShowsRejected() {
		cache.fetch(7);
		fail(Reason.UNAUTHORIZED);
		cache.advanceSeconds(60);
		cache.lookup();
		cache.upstream.complete(Reason.RESPONSE_TIMEOUT);
		assertThat(lines()).contains(REJECTED + "1.0");
	}

	@Test
	void scrapeWhenKeyIsAcceptedAgainIsOk() {
		cache.fetch(7);
		fail(Reason.UNAUTHORIZED);
		cache.advanceSeconds(60);
		cache.fetch(8);
		assertThat(lines()).contains(OK + "1.0", REJECTED + "0.0");
	}

	@Test
	void scrapeWhenKeyIsUnreadableShowsUnreadable() {
		cache.upstream.keyUnreadable(true);
		assertThat(lines()).contains(OK + "0.0", REJECTED + "0.0", UNREADABLE + "1.0");
	}

	private void fail(Reason reason) {
		cache.advanceSeconds(1);
		cache.lookup("no-cache");
		cache.upstream.complete(reason);
	}

	private List<String> lines() {
		return meters.scrape().lines().toList();
	}

	private double value(String name) {
		return lines().stream()
			.filter(line -> line.startsWith(name))
			.mapToDouble(line -> Double.parseDouble(line.substring(name.length())))
			.findFirst()
			.orElseThrow();
	}

}
