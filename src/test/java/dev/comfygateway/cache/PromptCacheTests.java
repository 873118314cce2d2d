package dev.comfygateway.cache;

import dev.comfygateway.cache.Lookup.Detail;
import dev.comfygateway.cache.Lookup.Forward;
import dev.comfygateway.support.FakeTime;
import dev.comfygateway.upstream.UpstreamFailure;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import static dev.comfygateway.cache.CacheUnderTest.NANO;
import static dev.comfygateway.cache.CacheUnderTest.awaited;
import static dev.comfygateway.cache.CacheUnderTest.failed;
import static dev.comfygateway.cache.CacheUnderTest.fetched;
import static dev.comfygateway.cache.CacheUnderTest.settled;
import static dev.comfygateway.cache.CacheUnderTest.stored;
import static org.assertj.core.api.Assertions.assertThat;

/** Tests of the lifetime of an answer and of request directives. */
class PromptCacheTests {

	private static final Duration FRESH_FOR = Duration.ofSeconds(2);

	private static final Duration END_OF_REVALIDATION = Duration.ofSeconds(5);

	private static final Duration END_OF_LIFETIME = Duration.ofSeconds(32);

	@Test
	void lookupWhenNothingIsStoredFetches() {
		CacheUnderTest cache = new CacheUnderTest();
		Lookup lookup = cache.lookup();
		assertThat(awaited(lookup).answer()).isNotDone();
		cache.upstream.complete(7);
		assertThat(fetched(lookup)).satisfies(fetched -> {
			assertThat(fetched.snapshot().promptInfo().remaining()).isEqualTo(7);
			assertThat(fetched.snapshot().observedAt()).isEqualTo(FakeTime.START);
			assertThat(fetched.forward()).isEqualTo(Forward.URI_MISS);
			assertThat(fetched.collapsed()).isFalse();
		});
	}

	@Test
	void lookupWhenFreshServesStored() {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advance(FRESH_FOR.minus(NANO));
		Lookup.Stored stored = stored(cache.lookup());
		assertThat(stored.snapshot().promptInfo().remaining()).isEqualTo(7);
		assertThat(stored)
			.isEqualTo(new Lookup.Stored(stored.snapshot(), FRESH_FOR.minus(NANO).toNanos(), 1, Detail.NONE, null));
		assertThat(cache.upstream.fetches()).isEqualTo(1);
	}

	@Test
	void lookupWhenFetchWasSlowCountsAgeFromArrival() {
		CacheUnderTest cache = new CacheUnderTest();
		cache.lookup();
		cache.advanceSeconds(2);
		cache.upstream.complete(7);
		cache.advanceSeconds(1);
		assertThat(stored(cache.lookup()).age()).isEqualTo(Duration.ofSeconds(1).toNanos());
	}

	@Test
	void lookupWhenFreshnessEndsServesStoredAndRefreshesInBackground() {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advance(FRESH_FOR);
		Lookup.Stored stored = stored(cache.lookup());
		assertThat(stored)
			.isEqualTo(new Lookup.Stored(stored.snapshot(), FRESH_FOR.toNanos(), 0, Detail.REVALIDATING, null));
		assertThat(cache.upstream.fetches()).isEqualTo(2);
	}

	@Test
	void lookupWhenRefreshIsInFlightServesStoredWithoutAnother() {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advance(FRESH_FOR);
		cache.lookup();
		cache.advance(Duration.ofSeconds(3).minus(NANO));
		assertThat(stored(cache.lookup())).satisfies(stored -> {
			assertThat(stored.ttl()).isEqualTo(-Duration.ofSeconds(3).minus(NANO).toNanos());
			assertThat(stored.detail()).isEqualTo(Detail.REVALIDATING);
		});
		assertThat(cache.upstream.fetches()).isEqualTo(2);
	}

	@Test
	void lookupWhenRefreshHasCompletedServesNewAnswer() {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advance(FRESH_FOR);
		cache.lookup();
		cache.upstream.complete(8);
		assertThat(stored(cache.lookup())).satisfies(stored -> {
			assertThat(stored.snapshot().promptInfo().remaining()).isEqualTo(8);
			assertThat(stored.age()).isZero();
			assertThat(stored.detail()).isEqualTo(Detail.NONE);
		});
	}

	@Test
	void lookupWhenRevalidationEndsWaitsForNewAnswer() {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advance(END_OF_REVALIDATION);
		Lookup lookup = cache.lookup();
		assertThat(awaited(lookup).answer()).isNotDone();
		cache.upstream.complete(8);
		Lookup.Fetched fetched = fetched(lookup);
		assertThat(fetched.snapshot().promptInfo().remaining()).isEqualTo(8);
		assertThat(fetched)
			.isEqualTo(new Lookup.Fetched(fetched.snapshot(), 0, FRESH_FOR.toNanos(), Forward.STALE, false, false));
	}

	@Test
	void lookupWhenAnswerIsExpiredIsUriMiss() {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advance(END_OF_LIFETIME);
		Lookup lookup = cache.lookup();
		cache.upstream.complete(8);
		assertThat(fetched(lookup).forward()).isEqualTo(Forward.URI_MISS);
	}

	@Test
	void lookupWhenRefreshFailsServesStoredInstead() {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advanceSeconds(6);
		Lookup lookup = cache.lookup();
		UpstreamFailure failure = cache.upstream.failure(Reason.RESPONSE_TIMEOUT);
		cache.upstream.complete(failure);
		Lookup.Stored stored = stored(lookup);
		assertThat(stored.snapshot().promptInfo().remaining()).isEqualTo(7);
		assertThat(stored).isEqualTo(new Lookup.Stored(stored.snapshot(), Duration.ofSeconds(6).toNanos(),
				-Duration.ofSeconds(4).toNanos(), Detail.UPSTREAM_FAILURE, failure));
	}

	@Test
	void lookupWhenRefreshFailsJustWithinStaleIfErrorServesStored() {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advance(END_OF_LIFETIME.minus(NANO));
		Lookup lookup = cache.lookup();
		cache.upstream.complete(Reason.UNAVAILABLE);
		assertThat(stored(lookup).age()).isEqualTo(END_OF_LIFETIME.minus(NANO).toNanos());
	}

	@Test
	void lookupWhenAnswerWasReplacedHasFullLifetime() {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advance(Duration.ofMillis(600));
		cache.lookup("no-cache");
		cache.upstream.complete(8);
		cache.advance(END_OF_LIFETIME.minus(NANO));
		Lookup lookup = cache.lookup();
		cache.upstream.complete(Reason.UNAVAILABLE);
		assertThat(stored(lookup).snapshot().promptInfo().remaining()).isEqualTo(8);
	}

	@Test
	void lookupWhenStaleIfErrorEndsDuringFetchFails() {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advance(END_OF_LIFETIME.minus(NANO));
		Lookup lookup = cache.lookup();
		cache.advance(NANO);
		cache.upstream.complete(Reason.UNAVAILABLE);
		assertThat(failed(lookup).failure().reason()).isEqualTo(Reason.UNAVAILABLE);
	}

	@Test
	void lookupWhenStaleIfErrorIsShorterThanRevalidationEndsAtItsBound() {
		CacheUnderTest cache = CacheUnderTest.withStored(7, "stale-if-error=1s");
		cache.advance(END_OF_REVALIDATION);
		Lookup lookup = cache.lookup();
		cache.upstream.complete(Reason.UNAVAILABLE);
		assertThat(failed(lookup).retryAfterSeconds()).isPositive();
	}

	@Test
	void lookupWhenNothingIsStoredAndFetchFailsFails() {
		CacheUnderTest cache = new CacheUnderTest();
		Lookup lookup = cache.lookup();
		UpstreamFailure failure = cache.upstream.failure(Reason.DNS_ERROR);
		cache.upstream.complete(failure);
		assertThat(failed(lookup)).isEqualTo(new Lookup.Failed(failure, 1));
	}

	@ParameterizedTest
	@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = { "UNAUTHORIZED", "FORBIDDEN" })
	void lookupWhenFetchFailsWhileFreshIsHit(Reason reason) {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advanceSeconds(1);
		cache.lookup("no-cache");
		cache.upstream.complete(reason);
		assertThat(stored(cache.lookup()).detail()).isEqualTo(Detail.NONE);
	}

	@ParameterizedTest
	@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = { "UNAUTHORIZED", "FORBIDDEN" })
	void lookupWhenFetchFailsWhileRevalidatingShowsFailure(Reason reason) {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advance(FRESH_FOR);
		cache.lookup();
		UpstreamFailure failure = cache.upstream.failure(reason);
		cache.upstream.complete(failure);
		assertThat(stored(cache.lookup())).satisfies(stored -> {
			assertThat(stored.detail()).isEqualTo(Detail.UPSTREAM_FAILURE);
			assertThat(stored.failure()).isSameAs(failure);
		});
	}

	@ParameterizedTest
	@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = { "UNAUTHORIZED", "FORBIDDEN" })
	void lookupWhenFetchFailsWhileStaleServesStored(Reason reason) {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advance(END_OF_REVALIDATION);
		Lookup lookup = cache.lookup();
		cache.upstream.complete(reason);
		assertThat(stored(lookup).detail()).isEqualTo(Detail.UPSTREAM_FAILURE);
	}

	@ParameterizedTest
	@EnumSource(names = { "UNAUTHORIZED", "FORBIDDEN" })
	void lookupWhenKeyIsRefusedWhileFreshDropsAnswer(Reason reason) {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advanceSeconds(1);
		cache.lookup("no-cache");
		cache.upstream.complete(reason);
		assertThat(failed(cache.lookup()).failure().reason()).isEqualTo(reason);
	}

	@ParameterizedTest
	@EnumSource(names = { "UNAUTHORIZED", "FORBIDDEN" })
	void lookupWhenKeyIsRefusedWhileRevalidatingDropsAnswer(Reason reason) {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advance(FRESH_FOR);
		cache.lookup();
		cache.upstream.complete(reason);
		assertThat(failed(cache.lookup()).failure().reason()).isEqualTo(reason);
	}

	@ParameterizedTest
	@EnumSource(names = { "UNAUTHORIZED", "FORBIDDEN" })
	void lookupWhenKeyIsRefusedWhileStaleDropsAnswer(Reason reason) {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advance(END_OF_REVALIDATION);
		Lookup waiting = cache.lookup();
		cache.upstream.complete(reason);
		assertThat(failed(waiting).failure().reason()).isEqualTo(reason);
		assertThat(failed(cache.lookup()).failure().reason()).isEqualTo(reason);
	}

	@ParameterizedTest
	@CsvSource({ "301, true", "400, false", "402, false", "404, true", "410, true", "501, true", "520, true" })
	void lookupWhenStatusIsUnexpectedKeepsAnswerUnlessAboutAccount(int status, boolean kept) {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advance(FRESH_FOR);
		cache.lookup();
		cache.upstream.complete(new UpstreamFailure(Reason.UNEXPECTED_STATUS, status, null, null, null, 1));
		assertThat(cache.cache.status().observed().isPresent()).isEqualTo(kept);
	}

	@Test
	void lookupWhenUpstreamFailedFetchesInBackground() {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advance(END_OF_REVALIDATION);
		cache.lookup();
		cache.upstream.complete(Reason.RESPONSE_TIMEOUT);
		cache.advanceSeconds(2);
		assertThat(stored(cache.lookup()).detail()).isEqualTo(Detail.UPSTREAM_FAILURE);
		assertThat(stored(cache.lookup()).failure()).isNotNull();
		assertThat(cache.upstream.fetches()).as("one background fetch for both lookups").isEqualTo(3);
		cache.upstream.complete(8);
		assertThat(stored(cache.lookup()).snapshot().promptInfo().remaining()).isEqualTo(8);
	}

	@Test
	void lookupWhenUpstreamFailedAndNewerIsRequestedWaits() {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advance(END_OF_REVALIDATION);
		cache.lookup();
		cache.upstream.complete(Reason.RESPONSE_TIMEOUT);
		cache.advanceSeconds(2);
		assertThat(cache.lookup("no-cache")).isInstanceOf(Lookup.Awaited.class);
	}

	@Test
	void lookupWhenOnlyIfCachedInOutageServesStale() {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advance(END_OF_REVALIDATION);
		assertThat(cache.lookup("only-if-cached")).isEqualTo(new Lookup.NotCached());
		cache.lookup();
		cache.upstream.complete(Reason.RESPONSE_TIMEOUT);
		cache.advanceSeconds(2);
		assertThat(stored(cache.lookup("only-if-cached")).detail()).isEqualTo(Detail.UPSTREAM_FAILURE);
		assertThat(cache.upstream.fetches()).isEqualTo(2);
	}

	@Test
	void lookupWhenUpstreamSentAgeIncludesItAndIsFresh() {
		CacheUnderTest cache = new CacheUnderTest();
		Lookup first = cache.lookup();
		cache.upstream.complete(cache.upstream.answered(7, Duration.ofSeconds(1)));
		assertThat(fetched(first).age()).isEqualTo(Duration.ofSeconds(1).toNanos());
		assertThat(fetched(first).ttl()).isEqualTo(FRESH_FOR.toNanos());
		cache.advance(FRESH_FOR.minus(NANO));
		assertThat(stored(cache.lookup())).satisfies(stored -> {
			assertThat(stored.age()).isEqualTo(Duration.ofSeconds(3).minus(NANO).toNanos());
			assertThat(stored.ttl()).isOne();
			assertThat(stored.detail()).isEqualTo(Detail.NONE);
		});
		cache.advance(NANO);
		assertThat(stored(cache.lookup()).detail()).isEqualTo(Detail.REVALIDATING);
	}

	@ParameterizedTest
	@ValueSource(strings = { "PT2S", "PT32S", "PT1H" })
	void lookupWhenUpstreamSendsAgeFetchesNoMoreOften(Duration age) {
		CacheUnderTest cache = new CacheUnderTest();
		cache.upstream.answerWith(() -> CompletableFuture.completedFuture(cache.upstream.answered(7, age)));
		for (int tenth = 0; tenth < 100; tenth++) {
			assertThat(settled(cache.lookup())).isNotInstanceOf(Lookup.Failed.class);
			cache.refresh.startIfDue(false);
			cache.advance(Duration.ofMillis(100));
		}
		assertThat(cache.upstream.fetches()).as("fetches in 10 s, fresh for 2 s").isEqualTo(5);
		for (int tenth = 0; tenth < 100; tenth++) {
			assertThat(settled(cache.lookup("no-cache"))).isNotInstanceOf(Lookup.Failed.class);
			assertThat(settled(cache.lookup("max-age=1"))).isNotInstanceOf(Lookup.Failed.class);
			cache.advance(Duration.ofMillis(100));
		}
		assertThat(cache.upstream.fetches()).as("fetches after 10 s more, one per 500 ms").isEqualTo(5 + 20);
	}

	@ParameterizedTest
	@CsvSource({ "0s, 0s, PT0S, 20", "0s, 30s, PT1H, 20", "2s, 0s, PT1H, 5" })
	void refreshWhenLifetimeVariesFetchesOncePerWindow(String freshFor, String staleIfError, Duration age,
			int expected) {
		CacheUnderTest cache = new CacheUnderTest("fresh-for=" + freshFor, "stale-if-error=" + staleIfError);
		cache.upstream.answerWith(() -> CompletableFuture.completedFuture(cache.upstream.answered(7, age)));
		for (int tenth = 0; tenth < 100; tenth++) {
			cache.refresh.startIfDue(false);
			cache.advance(Duration.ofMillis(100));
		}
		assertThat(cache.upstream.fetches()).isEqualTo(expected);
	}

	@ParameterizedTest
	@CsvSource({ "0s, 0s, PT0S", "2s, 30s, PT0S", "2s, 30s, PT1H" })
	void receiverWhenLifetimeVariesGetsEachAnswer(String freshFor, String staleIfError, Duration age) {
		CacheUnderTest cache = new CacheUnderTest("fresh-for=" + freshFor, "stale-if-error=" + staleIfError);
		List<UpstreamStatus> received = new ArrayList<>();
		cache.cache.onResult(received::add);
		cache.lookup();
		cache.upstream.complete(cache.upstream.answered(7, age));
		assertThat(received).singleElement().satisfies(status -> {
			assertThat(status.observed().orElseThrow().promptInfo().remaining()).isEqualTo(7);
			assertThat(status.failure()).isEmpty();
		});
	}

	@Test
	void receiverWhenFetchFailsGetsFailureAndStaleAnswer() {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		List<UpstreamStatus> received = new ArrayList<>();
		cache.cache.onResult(received::add);
		cache.advance(FRESH_FOR);
		cache.lookup();
		cache.upstream.complete(Reason.UNAVAILABLE);
		assertThat(received.getLast().observed()).isPresent();
		assertThat(received.getLast().failure()).isPresent();
		cache.advanceSeconds(30);
		cache.lookup("no-cache");
		cache.upstream.complete(Reason.UNAVAILABLE);
		assertThat(received.getLast().observed()).isEmpty();
	}

	@Test
	void nanosUntilChangeIsNextRefreshOrEndOfStaleAnswer() {
		CacheUnderTest cache = new CacheUnderTest("stale-if-error=1s", "cooldown=10s");
		assertThat(cache.refresh.nanosUntilChange()).isZero();
		cache.fetch(7);
		cache.advanceSeconds(1);
		assertThat(cache.refresh.nanosUntilChange()).isEqualTo(Duration.ofSeconds(1).toNanos());
		cache.lookup("no-cache");
		cache.upstream.complete(Reason.UNAVAILABLE);
		assertThat(cache.refresh.nanosUntilChange()).as("end of stale-if-error")
			.isEqualTo(Duration.ofSeconds(2).toNanos());
		cache.advanceSeconds(2);
		assertThat(cache.refresh.nanosUntilChange()).as("end of the cool-down")
			.isEqualTo(Duration.ofSeconds(8).toNanos());
		cache.upstream.changeKey();
		assertThat(cache.refresh.nanosUntilChange()).isZero();
	}

	@ParameterizedTest
	@CsvSource({ "PT2.999999999S, true", "PT3S, false" })
	void lookupWhenRefreshFailedIsBoundedByStaleIfErrorOnly(Duration age, boolean serves) {
		CacheUnderTest cache = CacheUnderTest.withStored(7, "stale-while-revalidate=1h", "stale-if-error=1s",
				"cooldown=10s");
		cache.advance(FRESH_FOR);
		cache.lookup();
		cache.upstream.complete(Reason.UNAVAILABLE);
		cache.advance(age.minus(FRESH_FOR));
		assertThat(settled(cache.lookup())).isInstanceOf(serves ? Lookup.Stored.class : Lookup.Failed.class);
		assertThat(settled(cache.lookup("only-if-cached")))
			.isInstanceOf(serves ? Lookup.Stored.class : Lookup.NotCached.class);
		assertThat(cache.cache.status().observed().isPresent()).isEqualTo(serves);
	}

	@Test
	void lookupWhenFailureFollowsRefusedKeyServesNoOldAnswer() {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advance(FRESH_FOR);
		cache.lookup();
		cache.upstream.complete(Reason.FORBIDDEN);
		cache.advanceSeconds(30);
		Lookup lookup = cache.lookup();
		cache.upstream.complete(Reason.RESPONSE_TIMEOUT);
		assertThat(failed(lookup).failure().reason()).isEqualTo(Reason.RESPONSE_TIMEOUT);
	}

	@Test
	void lookupWhenNoCacheIsRequestedFetches() {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advance(Duration.ofMillis(500));
		Lookup lookup = cache.lookup("no-cache");
		cache.upstream.complete(8);
		Lookup.Fetched fetched = fetched(lookup);
		assertThat(fetched)
			.isEqualTo(new Lookup.Fetched(fetched.snapshot(), 0, FRESH_FOR.toNanos(), Forward.REQUEST, false, false));
	}

	@Test
	void lookupWhenNoCacheIsRequestedWithinRefreshFloorServesStored() {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		Duration age = Duration.ofMillis(500).minus(NANO);
		cache.advance(age);
		Lookup.Stored stored = stored(cache.lookup("no-cache"));
		assertThat(stored).isEqualTo(new Lookup.Stored(stored.snapshot(), age.toNanos(), FRESH_FOR.minus(age).toNanos(),
				Detail.REFRESH_FLOOR, null));
		assertThat(cache.upstream.fetches()).isEqualTo(1);
	}

	@ParameterizedTest
	@ValueSource(longs = { 3, 6, 31 })
	void lookupWhenNewerThanStaleIsRequestedFetches(long age) {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advanceSeconds(age);
		Lookup lookup = cache.lookup("max-age=1");
		assertThat(awaited(lookup).answer()).isNotDone();
		cache.upstream.complete(8);
		assertThat(fetched(lookup).forward()).isEqualTo(Forward.REQUEST);
	}

	@Test
	void lookupWhenAgeEqualsMaxAgeServesStored() {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advanceSeconds(1);
		assertThat(stored(cache.lookup("max-age=1")).detail()).isEqualTo(Detail.NONE);
	}

	@ParameterizedTest
	@ValueSource(longs = { 1, 3, 6 })
	void lookupWhenNewerIsRequestedAndFetchFailsFails(long age) {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advanceSeconds(age);
		Lookup lookup = cache.lookup("no-cache");
		cache.upstream.complete(Reason.RESPONSE_TIMEOUT);
		assertThat(failed(lookup).retryAfterSeconds()).isPositive();
	}

	@Test
	void lookupWhenAgeEqualsMaxAgeAndFetchFailsServesStored() {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advanceSeconds(6);
		Lookup lookup = cache.lookup("max-age=6");
		cache.upstream.complete(Reason.RESPONSE_TIMEOUT);
		assertThat(stored(lookup).detail()).isEqualTo(Detail.UPSTREAM_FAILURE);
	}

	@Test
	void lookupWhenStoredExceedsMaxAgeDuringFetchFails() {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advanceSeconds(6);
		Lookup lookup = cache.lookup("max-age=6");
		cache.advance(NANO);
		cache.upstream.complete(Reason.RESPONSE_TIMEOUT);
		assertThat(settled(lookup)).isInstanceOf(Lookup.Failed.class);
	}

	@Test
	void lookupWhenOnlyIfCachedAndNothingStoredNeverFetches() {
		CacheUnderTest cache = new CacheUnderTest();
		assertThat(cache.lookup("only-if-cached")).isEqualTo(new Lookup.NotCached());
		assertThat(cache.upstream.fetches()).isZero();
	}

	@ParameterizedTest
	@ValueSource(longs = { 0, 1, 2, 4 })
	void lookupWhenOnlyIfCachedServesWithoutFetching(long age) {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advanceSeconds(age);
		assertThat(stored(cache.lookup("only-if-cached")).detail()).isEqualTo(Detail.NONE);
		assertThat(cache.upstream.fetches()).isEqualTo(1);
	}

	@ParameterizedTest
	@ValueSource(longs = { 5, 31, 32 })
	void lookupWhenOnlyIfCachedAndTooOldNeverFetches(long age) {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advanceSeconds(age);
		assertThat(cache.lookup("only-if-cached")).isEqualTo(new Lookup.NotCached());
		assertThat(cache.upstream.fetches()).isEqualTo(1);
	}

	@Test
	void lookupWhenOnlyIfCachedAndOlderThanRequestedNeverFetches() {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advanceSeconds(1);
		assertThat(cache.lookup("only-if-cached, no-cache")).isEqualTo(new Lookup.NotCached());
		assertThat(cache.upstream.fetches()).isEqualTo(1);
	}

	@Test
	void lookupWhenOnlyIfCachedDuringRefreshShowsRevalidating() {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advance(FRESH_FOR);
		cache.lookup();
		assertThat(stored(cache.lookup("only-if-cached")).detail()).isEqualTo(Detail.REVALIDATING);
	}

	@Test
	void lookupWhenFreshForIsZeroWaitsForNewAnswer() {
		CacheUnderTest cache = CacheUnderTest.withStored(7, "fresh-for=0s");
		Lookup lookup = cache.lookup();
		assertThat(awaited(lookup).answer()).isNotDone();
		cache.upstream.complete(8);
		assertThat(fetched(lookup).snapshot().promptInfo().remaining()).isEqualTo(8);
	}

	@Test
	void lookupWhenFreshForIsZeroServesStoredInsteadOfFailure() {
		CacheUnderTest cache = CacheUnderTest.withStored(7, "fresh-for=0s");
		cache.advance(Duration.ofSeconds(30).minus(NANO));
		Lookup lookup = cache.lookup();
		cache.upstream.complete(Reason.RESPONSE_TIMEOUT);
		assertThat(stored(lookup).detail()).isEqualTo(Detail.UPSTREAM_FAILURE);
	}

	@Test
	void lookupWhenFreshForIsZeroAndOnlyIfCachedServesNothing() {
		CacheUnderTest cache = CacheUnderTest.withStored(7, "fresh-for=0s");
		assertThat(cache.lookup("only-if-cached")).isEqualTo(new Lookup.NotCached());
	}

	@Test
	void statusWhenAnswerMayStillBeServedShowsIt() {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advance(END_OF_LIFETIME.minus(NANO));
		assertThat(cache.cache.status().observed())
			.hasValueSatisfying(observed -> assertThat(observed.age(cache.time.read()))
				.isEqualTo(END_OF_LIFETIME.minus(NANO).toNanos()));
	}

	@Test
	void statusWhenAnswerMayNoLongerBeServedHidesIt() {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advance(END_OF_LIFETIME);
		assertThat(cache.cache.status().observed()).isEmpty();
	}

	@Test
	void statusWhenFreshForIsZeroHidesAnswerAtEndOfStaleIfError() {
		CacheUnderTest cache = CacheUnderTest.withStored(7, "fresh-for=0s", "stale-if-error=1s");
		cache.advanceSeconds(1);
		assertThat(cache.cache.status().observed()).isEmpty();
	}

}
