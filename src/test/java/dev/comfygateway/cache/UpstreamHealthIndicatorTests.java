package dev.comfygateway.cache;

import dev.comfygateway.support.FakeTime;
import dev.comfygateway.upstream.Deprecation;
import dev.comfygateway.upstream.PromptInfo;
import dev.comfygateway.upstream.UpstreamFailure;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import dev.comfygateway.upstream.UpstreamAnswer;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.springframework.boot.health.actuate.endpoint.HttpCodeStatusMapper;
import org.springframework.boot.health.actuate.endpoint.StatusAggregator;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.Status;

import static org.assertj.core.api.Assertions.assertThat;

class UpstreamHealthIndicatorTests {

	private final CacheUnderTest cache = new CacheUnderTest();

	private final UpstreamHealthIndicator indicator = indicatorIn(new SingleReplica());

	private UpstreamHealthIndicator indicatorIn(Fleet fleet) {
		return new UpstreamHealthIndicator(cache.cache, cache.upstream.client(), fleet);
	}

	@Test
	void healthWhenNothingWasFetchedIsUnknown() {
		Health health = indicator.health();
		assertThat(health.getStatus()).isEqualTo(Status.UNKNOWN);
		assertThat(health.getDetails()).isEqualTo(Map.of("state", "not asked yet", "keyFile", "ok"));
	}

	@Test
	void healthWhenUpstreamAnswersIsUp() {
		cache.fetch(7);
		cache.advanceSeconds(12);
		Health health = indicator.health();
		assertThat(health.getStatus()).isEqualTo(Status.UP);
		assertThat(health.getDetails())
			.isEqualTo(Map.of("state", "answering", "lastGoodAt", FakeTime.START, "keyFile", "ok"));
	}

	@Test
	void healthWhenAnswerHasNoNumberHasQueueAbsent() {
		answer(new PromptInfo(null), null);
		assertThat(indicator.health().getStatus()).isEqualTo(Status.UP);
		assertThat(indicator.health().getDetails()).containsEntry("state", "answering")
			.containsEntry("queue", "absent");
		cache.advanceSeconds(60);
		cache.fetch(7);
		assertThat(indicator.health().getDetails()).doesNotContainKey("queue");
	}

	@Test
	void healthWhenDeprecationIsAnnouncedHasItsDate() {
		answer(new PromptInfo(null), new Deprecation(true, null, Instant.parse("2027-01-01T00:00:00Z")));
		assertThat(indicator.health().getDetails()).containsEntry("deprecation",
				"Deprecation, Sunset 2027-01-01T00:00:00Z");
	}

	private void answer(PromptInfo promptInfo, @Nullable Deprecation deprecation) {
		cache.lookup();
		cache.upstream.complete(new UpstreamAnswer(promptInfo, Duration.ZERO, deprecation, 1));
	}

	@Test
	void healthWhenFailureHasADetailHasIt() {
		cache.lookup();
		cache.upstream.complete(new UpstreamFailure(Reason.TLS_CERTIFICATE_ERROR, 0, null, null, null,
				"the certificate of CN=comfy expired at 2026-01-01T00:00:00Z", 1));
		assertThat(indicator.health().getDetails()).containsEntry("detail",
				"the certificate of CN=comfy expired at 2026-01-01T00:00:00Z");
	}

	@Test
	void healthWhenUpstreamFailsHasCodeAndReasonOfCallers() {
		fail(Reason.RESPONSE_TIMEOUT);
		assertThat(indicator.health().getDetails()).isEqualTo(Map.of("state", "failing", "code", "UPSTREAM_TIMEOUT",
				"reason", "http_response_timeout", "nextAttemptAt", FakeTime.START.plusSeconds(1), "keyFile", "ok"));
	}

	@Test
	void healthWhenLastGoodAnswerIsOldHasItsTime() {
		cache.fetch(7);
		cache.advanceSeconds(86_400);
		fail(Reason.UNAVAILABLE);
		assertThat(indicator.health().getDetails()).containsEntry("lastGoodAt", FakeTime.START)
			.containsEntry("reason", "503");
	}

	@Test
	void healthWhenKeyHasChangedHasNoDataOfOldAccount() {
		cache.fetch(7);
		cache.upstream.changeKey();
		fail(Reason.UNAVAILABLE);
		assertThat(indicator.health().getDetails()).doesNotContainKey("lastGoodAt");
	}

	@Test
	void healthWhenKeyIsRefusedHasItsState() {
		fail(Reason.UNAUTHORIZED);
		assertThat(indicator.health().getDetails()).containsEntry("state", "key refused")
			.containsEntry("code", "UNAUTHORIZED")
			.containsEntry("reason", "401");
	}

	@Test
	void healthWhenFirewallBlocksIsFailing() {
		fail(Reason.BLOCKED);
		assertThat(indicator.health().getDetails()).containsEntry("state", "failing")
			.containsEntry("code", "UPSTREAM_BLOCKED")
			.containsEntry("reason", "403")
			.doesNotContainKey("proxyStatus");
	}

	@Test
	void healthWhenProxyRefusesHasItsStatus() {
		fail(Reason.TUNNEL_REFUSED);
		assertThat(indicator.health().getDetails()).containsEntry("state", "failing")
			.containsEntry("code", "UPSTREAM_UNREACHABLE")
			.containsEntry("reason", "http_request_denied")
			.containsEntry("proxyStatus", 407);
	}

	@Test
	void healthWhenCooldownIsOverHasNoNextAttempt() {
		fail(Reason.RESPONSE_TIMEOUT);
		cache.advanceSeconds(1);
		assertThat(indicator.health().getDetails()).doesNotContainKey("nextAttemptAt");
	}

	@Test
	void healthWhenKeyFileIsUnreadableHasItsState() {
		cache.upstream.keyUnreadable(true);
		assertThat(indicator.health().getDetails()).containsEntry("keyFile", "unreadable");
	}

	@Test
	void healthWhenInFleetHasItsState() {
		assertThat(indicatorIn(new FleetStub()).health().getDetails()).containsEntry("fleet", "ok");
	}

	@Test
	void healthWhenUpstreamFailsLeavesAggregateUp() {
		fail(Reason.UNAUTHORIZED);
		Status aggregate = StatusAggregator.getDefault().getAggregateStatus(indicator.health().getStatus(), Status.UP);
		assertThat(aggregate).isEqualTo(Status.UP);
		assertThat(HttpCodeStatusMapper.getDefault().getStatusCode(aggregate)).isEqualTo(200);
	}

	@Test
	void healthWhenUpstreamFailsHasStatus200() {
		fail(Reason.UNAUTHORIZED);
		assertThat(HttpCodeStatusMapper.getDefault().getStatusCode(indicator.health().getStatus())).isEqualTo(200);
	}

	private void fail(Reason reason) {
		cache.lookup();
		cache.upstream.complete(reason);
	}

}
