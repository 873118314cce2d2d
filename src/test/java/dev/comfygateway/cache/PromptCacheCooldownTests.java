package dev.comfygateway.cache;

import dev.comfygateway.cache.Lookup.Detail;
import dev.comfygateway.upstream.UpstreamFailure;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import java.time.Duration;
import org.junit.jupiter.api.Test;

import static dev.comfygateway.cache.CacheUnderTest.NANO;
import static dev.comfygateway.cache.CacheUnderTest.awaited;
import static dev.comfygateway.cache.CacheUnderTest.failed;
import static dev.comfygateway.cache.CacheUnderTest.fetched;
import static dev.comfygateway.cache.CacheUnderTest.stored;
import static org.assertj.core.api.Assertions.assertThat;

/** Tests of the cool-down and of key changes. */
class PromptCacheCooldownTests {

	private static final Duration COOLDOWN = Duration.ofSeconds(1);

	private final CacheUnderTest cache = new CacheUnderTest();

	@Test
	void lookupWhenCoolingDownRepeatsFailureWithoutFetching() {
		UpstreamFailure failure = fail(Reason.CONNECTION_REFUSED);
		cache.advance(COOLDOWN.minus(NANO));
		assertThat(cache.lookup()).isEqualTo(new Lookup.Failed(failure, 1));
		assertThat(cache.upstream.fetches()).isEqualTo(1);
	}

	@Test
	void lookupWhenCooldownIsOverFetches() {
		fail(Reason.CONNECTION_REFUSED);
		cache.advance(COOLDOWN);
		Lookup lookup = cache.lookup();
		cache.upstream.complete(7);
		assertThat(fetched(lookup).snapshot().promptInfo().remaining()).isEqualTo(7);
	}

	@Test
	void lookupWhenFailuresAreConsecutiveDoublesCooldown() {
		fail(Reason.CONNECTION_REFUSED);
		cache.advance(COOLDOWN);
		fail(Reason.RESPONSE_TIMEOUT);
		cache.advance(COOLDOWN.multipliedBy(2).minus(NANO));
		assertThat(cache.lookup()).isInstanceOf(Lookup.Failed.class);
		cache.advance(NANO);
		assertThat(awaited(cache.lookup()).answer()).isNotDone();
	}

	@Test
	void lookupWhenFetchSucceededRestartsAtInitialCooldown() {
		fail(Reason.CONNECTION_REFUSED);
		cache.advance(COOLDOWN);
		fail(Reason.CONNECTION_REFUSED);
		cache.advance(COOLDOWN.multipliedBy(2));
		cache.fetch(7);
		cache.advanceSeconds(60);
		fail(Reason.CONNECTION_REFUSED);
		cache.advance(COOLDOWN);
		assertThat(awaited(cache.lookup()).answer()).isNotDone();
	}

	@Test
	void lookupWhenRetryAfterIsLongerCoolsDownForIt() {
		Lookup lookup = cache.lookup();
		cache.upstream.complete(cache.upstream.failure(Reason.RATE_LIMITED, Duration.ofMinutes(5)));
		assertThat(failed(lookup).retryAfterSeconds()).isEqualTo(300);
		cache.advance(Duration.ofMinutes(5).minus(NANO));
		assertThat(cache.lookup()).isInstanceOf(Lookup.Failed.class);
		assertThat(cache.upstream.fetches()).isEqualTo(1);
	}

	@Test
	void lookupWhenKeyWasRefusedCoolsDownForMaxCooldown() {
		fail(Reason.UNAUTHORIZED);
		cache.advance(Duration.ofSeconds(30).minus(NANO));
		assertThat(cache.lookup()).isInstanceOf(Lookup.Failed.class);
		cache.advance(NANO);
		assertThat(awaited(cache.lookup()).answer()).isNotDone();
	}

	@Test
	void lookupWhenCoolingDownAndRevalidatingShowsFailureWithoutFetching() {
		cache.fetch(7);
		cache.advanceSeconds(2);
		UpstreamFailure failure = fail(Reason.UNAVAILABLE);
		Lookup.Stored stored = stored(cache.lookup());
		assertThat(stored.detail()).isEqualTo(Detail.UPSTREAM_FAILURE);
		assertThat(stored.failure()).isSameAs(failure);
		assertThat(cache.upstream.fetches()).isEqualTo(2);
	}

	@Test
	void lookupWhenCooldownIsOverAndRevalidatingRefreshesAgain() {
		cache.fetch(7);
		cache.advanceSeconds(2);
		fail(Reason.UNAVAILABLE);
		cache.advance(COOLDOWN);
		assertThat(stored(cache.lookup()).detail()).isEqualTo(Detail.UPSTREAM_FAILURE);
		assertThat(cache.upstream.fetches()).isEqualTo(3);
	}

	@Test
	void lookupWhenCoolingDownAndStaleServesStoredImmediately() {
		cache.fetch(7);
		cache.advanceSeconds(6);
		fail(Reason.UNAVAILABLE);
		assertThat(cache.lookup()).isInstanceOfSatisfying(Lookup.Stored.class,
				stored -> assertThat(stored.detail()).isEqualTo(Detail.UPSTREAM_FAILURE));
		assertThat(cache.upstream.fetches()).isEqualTo(2);
	}

	@Test
	void lookupWhenCoolingDownPastStaleIfErrorFails() {
		cache.fetch(7);
		cache.advance(Duration.ofSeconds(32).minus(NANO));
		fail(Reason.UNAVAILABLE);
		assertThat(stored(cache.lookup()).detail()).isEqualTo(Detail.UPSTREAM_FAILURE);
		cache.advance(NANO);
		assertThat(cache.lookup()).isInstanceOf(Lookup.Failed.class);
	}

	@Test
	void lookupWhenCoolingDownAndNewerIsRequestedFailsWithoutFetching() {
		cache.fetch(7);
		cache.advanceSeconds(1);
		UpstreamFailure failure = fail(Reason.UNAVAILABLE, "no-cache");
		assertThat(cache.lookup("no-cache")).isEqualTo(new Lookup.Failed(failure, 1));
		assertThat(cache.upstream.fetches()).isEqualTo(2);
	}

	@Test
	void lookupWhenCoolingDownAndFreshIsHit() {
		cache.fetch(7);
		cache.advanceSeconds(1);
		fail(Reason.UNAVAILABLE, "no-cache");
		assertThat(stored(cache.lookup()).detail()).isEqualTo(Detail.NONE);
	}

	@Test
	void lookupWhenCoolingDownAndOnlyIfCachedHasNothingToServe() {
		fail(Reason.UNAVAILABLE);
		assertThat(cache.lookup("only-if-cached")).isEqualTo(new Lookup.NotCached());
	}

	@Test
	void lookupWhenKeyChangesDropsAnswer() {
		cache.fetch(7);
		cache.upstream.changeKey();
		Lookup lookup = cache.lookup();
		cache.upstream.complete(8);
		assertThat(fetched(lookup).forward()).isEqualTo(Lookup.Forward.URI_MISS);
		assertThat(stored(cache.lookup()).snapshot().promptInfo().remaining()).isEqualTo(8);
	}

	@Test
	void lookupWhenKeyChangesAndFetchFailsServesNoOldAnswer() {
		cache.fetch(7);
		cache.upstream.changeKey();
		Lookup lookup = cache.lookup();
		cache.upstream.complete(Reason.RESPONSE_TIMEOUT);
		assertThat(failed(lookup).failure().reason()).isEqualTo(Reason.RESPONSE_TIMEOUT);
	}

	@Test
	void lookupWhenKeyChangesEndsCooldown() {
		fail(Reason.UNAUTHORIZED);
		cache.upstream.changeKey();
		assertThat(awaited(cache.lookup()).answer()).isNotDone();
	}

	@Test
	void lookupWhenKeyChangesRestartsAtInitialCooldown() {
		fail(Reason.UNAUTHORIZED);
		cache.upstream.changeKey();
		fail(Reason.RESPONSE_TIMEOUT);
		cache.advance(COOLDOWN);
		assertThat(awaited(cache.lookup()).answer()).isNotDone();
	}

	@Test
	void lookupWhenAnswerIsOfReplacedKeyIsNotStored() {
		Lookup lookup = cache.lookup();
		var answer = cache.upstream.answered(7);
		cache.upstream.changeKey();
		cache.upstream.complete(answer);
		assertThat(fetched(lookup).collapsed()).isFalse();
		assertThat(awaited(cache.lookup()).answer()).isNotDone();
	}

	@Test
	void statusWhenNothingIsKnownHasNeitherUpNorFailure() {
		UpstreamStatus status = cache.cache.status();
		assertThat(status.up()).isEmpty();
		assertThat(status.failure()).isEmpty();
		assertThat(status.nextAttemptAt()).isEmpty();
	}

	@Test
	void statusWhenCoolingDownHasNextAttempt() {
		UpstreamFailure failure = fail(Reason.UNAVAILABLE);
		cache.advance(Duration.ofMillis(400));
		UpstreamStatus status = cache.cache.status();
		assertThat(status.up()).contains(false);
		assertThat(status.failure()).contains(failure);
		assertThat(status.nextAttemptAt()).contains(cache.time.instant().plusMillis(600));
	}

	@Test
	void statusWhenKeyChangesIsEmpty() {
		fail(Reason.UNAUTHORIZED);
		cache.upstream.changeKey();
		UpstreamStatus status = cache.cache.status();
		assertThat(status.up()).isEmpty();
		assertThat(status.keyRefused()).isFalse();
		assertThat(status.nextAttemptAt()).isEmpty();
	}

	private UpstreamFailure fail(Reason reason, String... cacheControl) {
		UpstreamFailure failure = cache.upstream.failure(reason);
		int fetches = cache.upstream.fetches();
		cache.lookup(String.join(",", cacheControl));
		assertThat(cache.upstream.fetches()).isEqualTo(fetches + 1);
		cache.upstream.complete(failure);
		return failure;
	}

}
