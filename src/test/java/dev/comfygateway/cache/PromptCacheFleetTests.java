package dev.comfygateway.cache;

import com.github.benmanes.caffeine.cache.stats.StatsCounter;
import dev.comfygateway.support.GatewaySettings;
import dev.comfygateway.cache.Fleet.Claim.Shared;
import dev.comfygateway.cache.Lookup.Detail;
import dev.comfygateway.cache.Lookup.Forward;
import dev.comfygateway.support.FakeTime;
import dev.comfygateway.upstream.PromptInfo;
import dev.comfygateway.upstream.UpstreamFailure;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.Mockito.doAnswer;
import static org.mockito.Mockito.mock;

/** Tests of {@link PromptCache} as a replica in a fleet. */
class PromptCacheFleetTests {

	private static final Instant OBSERVED_AT = FakeTime.START.plusSeconds(10);

	private CacheUnderTest cache = CacheUnderTest.inFleet();

	@Test
	void lookupWhenGrantedFetchesAndPublishes() {
		Lookup lookup = cache.lookup();
		assertThat(cache.upstream.fetches()).isZero();
		cache.fleet.grant();
		assertThat(cache.upstream.fetches()).isOne();
		cache.upstream.complete(3);
		assertThat(CacheUnderTest.fetched(lookup).shared()).isFalse();
		assertThat(cache.fleet.published).containsExactly(CacheUnderTest.fetched(lookup).snapshot());
	}

	@Test
	void lookupWhenAnswerIsSharedUsesItsAgeWithoutRequest() {
		Lookup lookup = cache.lookup();
		cache.fleet.share(answer(7, Duration.ofMillis(1500)));
		Lookup.Fetched fetched = CacheUnderTest.fetched(lookup);
		assertThat(fetched).isEqualTo(new Lookup.Fetched(fetched.snapshot(), Duration.ofMillis(1500).toNanos(),
				Duration.ofMillis(500).toNanos(), Forward.URI_MISS, true, true));
		assertThat(fetched.snapshot().promptInfo().remaining()).isEqualTo(7);
		assertThat(fetched.snapshot().observedAt()).isEqualTo(OBSERVED_AT);
		cache.advance(Duration.ofMillis(499));
		assertThat(CacheUnderTest.stored(cache.lookup()).detail()).isEqualTo(Detail.NONE);
		cache.advance(Duration.ofMillis(2));
		assertThat(CacheUnderTest.stored(cache.lookup()).detail()).isEqualTo(Detail.REVALIDATING);
		assertThat(cache.upstream.fetches()).isZero();
	}

	@Test
	void claimHasMaxAgeOfCaller() {
		cache.lookup();
		cache.fleet.share(answer(7, Duration.ZERO));
		cache.advanceSeconds(1);
		cache.lookup("no-cache");
		assertThat(cache.fleet.claims.getFirst().maxSinceArrival()).isEqualTo(Duration.ofSeconds(2));
		assertThat(cache.fleet.claims.getLast().maxSinceArrival()).isEqualTo(Duration.ofMillis(500));
		cache.fleet.share(answer(8, Duration.ZERO));
		cache.advanceSeconds(1);
		cache.lookup("max-age=0");
		assertThat(cache.fleet.claims.getLast().maxSinceArrival()).isEqualTo(Duration.ofMillis(500));
	}

	@Test
	void lookupWhenCallerWaitsPromotesBackgroundClaim() {
		cache.lookup();
		cache.fleet.share(answer(7, Duration.ZERO));
		cache.advanceSeconds(3);
		cache.lookup();
		cache.lookup();
		assertThat(cache.fleet.promotions).isZero();
		cache.lookup("no-cache");
		assertThat(cache.fleet.promotions).isOne();
	}

	@Test
	void claimWhenRefreshingIsInBackground() {
		cache.lookup();
		cache.fleet.share(answer(7, Duration.ZERO));
		cache.advanceSeconds(3);
		cache.lookup();
		assertThat(cache.fleet.claims).extracting(FleetStub.Claimed::background).containsExactly(false, true);
	}

	@Test
	void lookupWhenSharedAnswerIsTooOldForCallerClaimsAgain() {
		Lookup plain = cache.lookup();
		Lookup strict = cache.lookup("no-cache");
		cache.fleet.share(answer(7, Duration.ofMillis(900)));
		assertThat(CacheUnderTest.fetched(plain).snapshot().promptInfo().remaining()).isEqualTo(7);
		assertThat(CacheUnderTest.awaited(strict).answer()).isNotDone();
		cache.fleet.grant();
		cache.upstream.complete(8);
		assertThat(CacheUnderTest.fetched(strict).snapshot().promptInfo().remaining()).isEqualTo(8);
	}

	@Test
	void lookupWhenFleetCoolsDownFailsWithoutRequest() {
		Lookup lookup = cache.lookup();
		cache.fleet.share(failure(Reason.RATE_LIMITED, 429, Duration.ofSeconds(4)));
		assertThat(CacheUnderTest.failed(lookup).retryAfterSeconds()).isEqualTo(4);
		cache.advanceSeconds(3);
		assertThat(CacheUnderTest.failed(cache.lookup()).failure().reason()).isEqualTo(Reason.RATE_LIMITED);
		assertThat(cache.fleet.claims).hasSize(1);
		cache.advanceSeconds(1);
		cache.lookup();
		assertThat(cache.fleet.claims).hasSize(2);
	}

	@Test
	void failureIncludesEarlierFailuresOfFleet() {
		cache.lookup();
		cache.fleet.share(failure(Reason.UNAVAILABLE, 503, Duration.ZERO));
		cache.lookup();
		cache.fleet.grant();
		cache.upstream.complete(Reason.UNAVAILABLE);
		Cooldown published = (Cooldown) cache.fleet.published.getLast();
		long now = cache.time.read();
		assertThat(published.failures()).isEqualTo(4);
		assertThat(published.interval()).isEqualTo(Duration.ofSeconds(8));
		assertThat(published.remaining(now)).isEqualTo(Duration.ofSeconds(8).toNanos());
		assertThat(now - published.firstFailureNanos()).isEqualTo(Duration.ofSeconds(9).toNanos());
		assertThat(published.invalidatesAnswer()).isFalse();
	}

	@Test
	void announcementWhenKeyIsRefusedDropsAnswer() {
		cache.lookup();
		cache.fleet.share(answer(7, Duration.ZERO));
		cache.advance(Duration.ofMillis(10));
		cache.fleet.announce(failure(Reason.UNAUTHORIZED, 401, Duration.ofSeconds(30)));
		assertThat(CacheUnderTest.failed(cache.lookup()).failure().reason()).isEqualTo(Reason.UNAUTHORIZED);
		assertThat(cache.cache.status().keyRefused()).isTrue();
	}

	@Test
	void announcementWhenAnswerIsNewerReplacesStored() {
		cache.lookup();
		cache.fleet.share(answer(7, Duration.ZERO));
		cache.advanceSeconds(1);
		cache.fleet.announce(answer(8, Duration.ofMillis(100)));
		assertThat(CacheUnderTest.stored(cache.lookup()).snapshot().promptInfo().remaining()).isEqualTo(8);
		cache.fleet.announce(answer(6, Duration.ofMillis(1200)));
		assertThat(CacheUnderTest.stored(cache.lookup()).snapshot().promptInfo().remaining()).isEqualTo(8);
	}

	@Test
	void announcementWhenKeyVersionDiffersIsIgnored() {
		cache.upstream.changeKey();
		cache.fleet.announce(answer(8, Duration.ZERO));
		assertThat(cache.cache.status().observed()).isEmpty();
	}

	@Test
	void sharedFailureIncludesLastGoodAnswer() {
		Lookup lookup = cache.lookup();
		cache.fleet.share(new Shared(failure(Reason.UNAVAILABLE, 503, Duration.ofSeconds(4)).result(),
				snapshot(7, Duration.ZERO, Duration.ofSeconds(9))));
		assertThat(CacheUnderTest.stored(lookup).detail()).isEqualTo(Detail.UPSTREAM_FAILURE);
		assertThat(CacheUnderTest.stored(lookup).age()).isEqualTo(Duration.ofSeconds(9).toNanos());
	}

	@Test
	void sharedResultWhenKeyVersionDiffersIsClaimedAgain() {
		List<UpstreamStatus> received = new ArrayList<>();
		cache.cache.onResult(received::add);
		Lookup lookup = cache.lookup();
		cache.upstream.changeKey();
		cache.fleet.share(answer(7, Duration.ZERO));
		assertThat(CacheUnderTest.awaited(lookup).answer()).isNotDone();
		assertThat(received).isEmpty();
		cache.fleet.grant();
		cache.upstream.complete(8);
		assertThat(CacheUnderTest.fetched(lookup).snapshot().promptInfo().remaining()).isEqualTo(8);
	}

	@Test
	void claimWhenCallerJoinsDuringCallIsPromoted() {
		cache.fleet.onClaim = () -> {
			cache.fleet.onClaim = () -> {
			};
			cache.lookup();
			cache.fleet.promotions = 0;
		};
		cache.refresh.startIfDue(false);
		assertThat(cache.fleet.promotions).isOne();
	}

	@Test
	void receiverWhenItThrowsDoesNotAffectOthers() {
		List<UpstreamStatus> received = new ArrayList<>();
		cache.cache.onResult(status -> {
			throw new IllegalStateException("a bug");
		});
		cache.cache.onResult(received::add);
		Lookup lookup = cache.lookup();
		cache.fleet.grant();
		cache.upstream.complete(8);
		assertThat(CacheUnderTest.fetched(lookup).snapshot().promptInfo().remaining()).isEqualTo(8);
		assertThat(received).hasSize(1);
	}

	@Test
	void receiverWhenPublishingFailsIsNotified() {
		List<UpstreamStatus> received = new ArrayList<>();
		cache.cache.onResult(received::add);
		cache.fleet.onPublish = () -> {
			throw new IllegalStateException("a bug");
		};
		cache.lookup();
		cache.fleet.grant();
		cache.upstream.complete(8);
		assertThat(received).hasSize(1);
	}

	@Test
	void leaseWhenFetchFailsUnexpectedlyIsReleased() {
		cache.lookup();
		cache.upstream.answerWith(() -> CompletableFuture.failedFuture(new IllegalStateException("a bug")));
		cache.fleet.grant();
		assertThat(cache.fleet.released).isOne();
		assertThat(cache.fleet.published).isEmpty();
	}

	@Test
	void leaseWhenFetchCannotStartIsReleased() {
		cache.lookup();
		cache.upstream.answerWith(() -> {
			throw new IllegalStateException("a bug");
		});
		cache.fleet.grant();
		assertThat(cache.fleet.released).isOne();
	}

	@Test
	void leaseWhenResultIsPublishedIsNotReleased() {
		cache.lookup();
		cache.fleet.grant();
		cache.upstream.complete(3);
		assertThat(cache.fleet.published).hasSize(1);
		assertThat(cache.fleet.released).isZero();
	}

	@Test
	void sharedAnswerWhenUpstreamSentAgeIsFreshSinceArrival() {
		Lookup lookup = cache.lookup();
		Snapshot aged = snapshot(7, Duration.ofSeconds(20), Duration.ofMillis(500));
		cache.fleet.share(new Shared(aged, null));
		assertThat(CacheUnderTest.fetched(lookup).age()).isEqualTo(Duration.ofMillis(20_500).toNanos());
		assertThat(CacheUnderTest.fetched(lookup).ttl()).isEqualTo(Duration.ofMillis(1500).toNanos());
		cache.advance(Duration.ofMillis(1499));
		assertThat(CacheUnderTest.stored(cache.lookup()).detail()).isEqualTo(Detail.NONE);
	}

	@Test
	void announcementWhenAnswerIsTooOldIsIgnored() {
		List<UpstreamStatus> received = new ArrayList<>();
		cache.cache.onResult(received::add);
		cache.fleet.announce(answer(7, Duration.ofMinutes(10)));
		assertThat(received).isEmpty();
		assertThat(cache.cache.status().state()).isEqualTo("not asked yet");
	}

	@Test
	void lookupWhenOldAnswerIsAnnouncedConcurrentlyClaimsFetch() {
		StatsCounter announcing = mock(StatsCounter.class);
		doAnswer(call -> {
			cache.fleet.announce(answer(7, Duration.ofSeconds(25)));
			return null;
		}).when(announcing).recordMisses(1);
		cache = new CacheUnderTest(true, cache.time, cache.time, cache.upstream, announcing, GatewaySettings.with());
		assertThat(CacheUnderTest.awaited(cache.lookup()).answer()).isNotDone();
		assertThat(cache.fleet.claims).hasSize(1);
	}

	@Test
	void refreshWhenListenerWaitsPromotesBackgroundClaim() {
		cache.refresh.startIfDue(false);
		assertThat(cache.fleet.claims.getLast().background()).isTrue();
		cache.refresh.startIfDue(true);
		assertThat(cache.fleet.promotions).isOne();
		cache.fleet.share(answer(7, Duration.ZERO));
		cache.advanceSeconds(2);
		cache.refresh.startIfDue(true);
		assertThat(cache.fleet.claims.getLast().background()).isFalse();
	}

	private Shared answer(long queueRemaining, Duration sinceArrival) {
		return new Shared(snapshot(queueRemaining, Duration.ZERO, sinceArrival), null);
	}

	private Snapshot snapshot(long queueRemaining, Duration age, Duration sinceArrival) {
		long arrived = cache.time.read() - sinceArrival.toNanos();
		return new Snapshot(new PromptInfo(new PromptInfo.ExecInfo(queueRemaining)), age, null, arrived, arrived,
				OBSERVED_AT, 1);
	}

	/** Returns the third consecutive failure. */
	private Shared failure(Reason reason, int status, Duration left) {
		long now = cache.time.read();
		UpstreamFailure failure = new UpstreamFailure(reason, status, null, null, null, 1);
		return new Shared(new Cooldown(failure, now, Duration.ofSeconds(4), now + left.toNanos(),
				reason == Reason.UNAUTHORIZED, now - Duration.ofSeconds(9).toNanos(), 3), null);
	}

}
