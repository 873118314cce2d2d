package dev.comfygateway.cache;

import dev.comfygateway.support.FakeTime;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import org.junit.jupiter.api.Test;
import org.springframework.boot.health.actuate.endpoint.HttpCodeStatusMapper;
import org.springframework.boot.health.actuate.endpoint.StatusAggregator;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.Status;

import static org.assertj.core.api.Assertions.assertThat;

class UpstreamHealthIndicatorTests {

	private final CacheUnderTest cache = new CacheUnderTest();

	private final UpstreamHealthIndicator indicator = new UpstreamHealthIndicator(cache.cache);

	@Test
	void healthWhenNothingWasAskedIsUnknown() {
		Health health = indicator.health();
		assertThat(health.getStatus()).isEqualTo(Status.UNKNOWN);
		assertThat(health.getDetails()).containsOnlyKeys("state", "nextAttempt")
			.containsEntry("state", "not asked yet");
	}

	@Test
	void healthWhenUpstreamAnswersIsUpWithAge() {
		cache.fetch(7);
		cache.advanceSeconds(12);
		Health health = indicator.health();
		assertThat(health.getStatus()).isEqualTo(Status.UP);
		assertThat(health.getDetails()).containsEntry("state", "answering").containsEntry("lastGoodAgeSeconds", 12L);
	}

	@Test
	void healthWhenUpstreamFailsTellsNextAttempt() {
		fail(Reason.RESPONSE_TIMEOUT);
		assertThat(indicator.health().getDetails()).containsEntry("state", "failing")
			.containsEntry("failure", Reason.RESPONSE_TIMEOUT)
			.containsEntry("nextAttempt", FakeTime.START.plusSeconds(1));
	}

	@Test
	void healthWhenUpstreamFailsStillTellsAgeOfLastGoodAnswer() {
		cache.fetch(7);
		cache.advanceSeconds(6);
		fail(Reason.RESPONSE_TIMEOUT);
		assertThat(indicator.health().getDetails()).containsEntry("lastGoodAgeSeconds", 6L);
	}

	@Test
	void healthWhenKeyIsRefusedSaysSo() {
		fail(Reason.UNAUTHORIZED);
		assertThat(indicator.health().getDetails()).containsEntry("state", "key refused");
	}

	@Test
	void healthWhenCooldownIsOverIsAskedAgainByNextCaller() {
		fail(Reason.RESPONSE_TIMEOUT);
		cache.advanceSeconds(1);
		assertThat(indicator.health().getDetails()).containsEntry("nextAttempt", "when a caller needs it");
	}

	@Test
	void healthWhenUpstreamFailsLeavesTheWholeUp() {
		fail(Reason.UNAUTHORIZED);
		Status whole = StatusAggregator.getDefault().getAggregateStatus(indicator.health().getStatus(), Status.UP);
		assertThat(whole).isEqualTo(Status.UP);
		assertThat(HttpCodeStatusMapper.getDefault().getStatusCode(whole)).isEqualTo(200);
	}

	@Test
	void healthWhenUpstreamFailsAloneIsAnswered200() {
		fail(Reason.UNAUTHORIZED);
		assertThat(HttpCodeStatusMapper.getDefault().getStatusCode(indicator.health().getStatus())).isEqualTo(200);
	}

	private void fail(Reason reason) {
		cache.lookup();
		cache.upstream.complete(reason);
	}

}
