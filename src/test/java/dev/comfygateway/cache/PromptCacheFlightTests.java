package dev.comfygateway.cache;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.comfygateway.GatewayProperties;
import dev.comfygateway.cache.Lookup.Forward;
import dev.comfygateway.support.FakeTime;
import dev.comfygateway.support.GatewaySettings;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import dev.comfygateway.upstream.UpstreamOutcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.cache.CacheManager;
import org.springframework.cache.caffeine.CaffeineCache;
import org.springframework.cache.support.SimpleCacheManager;
import reactor.core.publisher.Mono;

import static dev.comfygateway.cache.CacheUnderTest.awaited;
import static dev.comfygateway.cache.CacheUnderTest.failed;
import static dev.comfygateway.cache.CacheUnderTest.fetched;
import static dev.comfygateway.cache.CacheUnderTest.settled;
import static dev.comfygateway.cache.CacheUnderTest.stored;
import static org.assertj.core.api.Assertions.assertThat;

/** The one flight: who shares it, and that nothing keeps it. */
class PromptCacheFlightTests {

	private static final int CALLERS = 200;

	private final CacheUnderTest cache = new CacheUnderTest();

	@Test
	void lookupWhenManyCallersComeToEmptyCacheFetchesOnce() throws Exception {
		List<Lookup> lookups = lookupFromManyThreads();
		assertThat(cache.upstream.fetches()).isEqualTo(1);
		cache.upstream.land(7);
		assertShared(lookups, Forward.URI_MISS);
	}

	@Test
	void lookupWhenManyCallersComeToExpiredAnswerFetchesOnce() throws Exception {
		cache.fetch(7);
		cache.advanceSeconds(6);
		List<Lookup> lookups = lookupFromManyThreads();
		assertThat(cache.upstream.fetches()).isEqualTo(2);
		cache.upstream.land(8);
		assertShared(lookups, Forward.STALE);
	}

	@Test
	void lookupWhenManyCallersComeWhileRevalidatingFetchesOnce() throws Exception {
		cache.fetch(7);
		cache.advanceSeconds(3);
		assertThat(lookupFromManyThreads()).hasSize(CALLERS)
			.allSatisfy(lookup -> assertThat(stored(lookup).detail()).isEqualTo(Lookup.Detail.REVALIDATING));
		assertThat(cache.upstream.fetches()).isEqualTo(2);
	}

	@Test
	void lookupWhenManyCallersShareFailureAllAreTold() throws Exception {
		List<Lookup> lookups = lookupFromManyThreads();
		cache.upstream.land(Reason.RESPONSE_TIMEOUT);
		assertThat(lookups).hasSize(CALLERS)
			.allSatisfy(lookup -> assertThat(failed(lookup).failure().reason()).isEqualTo(Reason.RESPONSE_TIMEOUT));
	}

	@Test
	void underWayWhenNobodyHasAskedIsNothing() {
		assertThat(cache.cache.underWay()).isNull();
		assertThat(cache.upstream.fetches()).isZero();
	}

	@ParameterizedTest
	@ValueSource(strings = { "2s", "0s" })
	void underWayWhenNothingIsStoredIsTheFlight(String freshFor) {
		CacheUnderTest empty = new CacheUnderTest("fresh-for=" + freshFor);
		empty.lookup();
		assertUnderWay(empty, Forward.URI_MISS);
	}

	@ParameterizedTest
	@ValueSource(strings = { "2s", "0s" })
	void underWayWhenTheStoredAnswerIsTooOldIsTheFlight(String freshFor) {
		CacheUnderTest expired = CacheUnderTest.holding(7, "fresh-for=" + freshFor);
		expired.advanceSeconds(6);
		expired.lookup();
		assertUnderWay(expired, Forward.STALE);
	}

	private static Lookup underWay(CacheUnderTest cache) {
		return Objects.requireNonNull(cache.cache.underWay());
	}

	private static void assertUnderWay(CacheUnderTest cache, Forward forward) {
		int fetches = cache.upstream.fetches();
		Lookup shared = underWay(cache);
		cache.upstream.land(8);
		Lookup.Fetched fetched = fetched(shared);
		assertThat(fetched).isEqualTo(new Lookup.Fetched(fetched.snapshot(), forward, true));
		assertThat(fetched.snapshot().promptInfo().remaining()).isEqualTo(8);
		assertThat(cache.upstream.fetches()).isEqualTo(fetches);
		assertThat(cache.cache.underWay()).isNull();
	}

	@Test
	void underWayWhenItFailsIsTheFailureOrWhatStandsInForIt() {
		cache.lookup();
		Lookup empty = underWay(cache);
		cache.upstream.land(Reason.RESPONSE_TIMEOUT);
		assertThat(failed(empty).fromCooldown()).isFalse();
		CacheUnderTest expired = CacheUnderTest.holding(7);
		expired.advanceSeconds(6);
		expired.lookup();
		Lookup shared = underWay(expired);
		expired.upstream.land(Reason.RESPONSE_TIMEOUT);
		assertThat(stored(shared).detail()).isEqualTo(Lookup.Detail.UPSTREAM_FAILURE);
	}

	@ParameterizedTest
	@CsvSource({ "1, no-cache", "3, no-store" })
	void underWayWhenTheStoredAnswerServesIsNothing(int age, String asked) {
		CacheUnderTest served = CacheUnderTest.holding(7);
		served.advanceSeconds(age);
		served.lookup(asked);
		assertThat(served.upstream.fetches()).isEqualTo(2);
		assertThat(served.cache.underWay()).isNull();
	}

	@Test
	void underWayWhenUpstreamIsLeftAloneIsNothing() {
		cache.lookup();
		cache.upstream.land(Reason.RESPONSE_TIMEOUT);
		assertThat(cache.cache.underWay()).isNull();
	}

	@Test
	void lookupWhenNewerIsWantedJoinsFlightUnderWay() {
		cache.fetch(7);
		cache.advanceSeconds(3);
		cache.lookup();
		Lookup lookup = cache.lookup("no-cache");
		cache.upstream.land(8);
		Lookup.Fetched fetched = fetched(lookup);
		assertThat(fetched).isEqualTo(new Lookup.Fetched(fetched.snapshot(), Forward.REQUEST, true));
		assertThat(cache.upstream.fetches()).isEqualTo(2);
	}

	@Test
	void lookupWhenFreshForIsZeroSharesOneFlight() {
		CacheUnderTest none = new CacheUnderTest("fresh-for=0s");
		Lookup first = none.lookup();
		Lookup second = none.lookup();
		none.upstream.land(7);
		assertThat(List.of(fetched(first).collapsed(), fetched(second).collapsed())).containsExactly(false, true);
		assertThat(none.upstream.fetches()).isEqualTo(1);
	}

	@ParameterizedTest
	@ValueSource(booleans = { false, true })
	void lookupWhenCallerLeavesFlightArrivesForOthers(boolean firstLeaves) {
		Lookup first = cache.lookup();
		Lookup second = cache.lookup();
		awaited(firstLeaves ? first : second).answer().cancel(true);
		cache.upstream.land(7);
		assertThat(fetched(firstLeaves ? second : first).snapshot().promptInfo().remaining()).isEqualTo(7);
		assertThat(stored(cache.lookup()).snapshot().promptInfo().remaining()).isEqualTo(7);
	}

	@Test
	void lookupWhenFlightLandsBetweenLookAndBoardingSharesIt() {
		FakeTime time = new FakeTime();
		ComfyCloudStandIn upstream = new ComfyCloudStandIn();
		Hook afterLook = new Hook();
		PromptCache hooked = cacheWith(time, upstream, afterLook);
		hooked.lookup(RequestDirectives.NONE);
		afterLook.onceRun(() -> upstream.land(7));
		Lookup lookup = hooked.lookup(RequestDirectives.NONE);
		assertThat(fetched(lookup)).satisfies(fetched -> {
			assertThat(fetched.snapshot().promptInfo().remaining()).isEqualTo(7);
			assertThat(fetched.forward()).isEqualTo(Forward.URI_MISS);
			assertThat(fetched.collapsed()).isTrue();
		});
		assertThat(upstream.fetches()).isEqualTo(1);
	}

	@Test
	void lookupWhenFlightFailsBetweenLookAndBoardingSharesFailure() {
		FakeTime time = new FakeTime();
		ComfyCloudStandIn upstream = new ComfyCloudStandIn();
		Hook afterLook = new Hook();
		PromptCache hooked = cacheWith(time, upstream, afterLook);
		hooked.lookup(RequestDirectives.NONE);
		afterLook.onceRun(() -> upstream.land(Reason.UNAUTHORIZED));
		assertThat(failed(hooked.lookup(RequestDirectives.NONE)).failure().reason()).isEqualTo(Reason.UNAUTHORIZED);
		assertThat(upstream.fetches()).isEqualTo(1);
	}

	@Test
	void lookupWhenRefreshLandsBetweenLookAndBoardingDoesNotRepeatIt() {
		cache.fetch(7);
		cache.advanceSeconds(3);
		cache.lookup();
		Hook afterLook = new Hook();
		cache.upstream.onKeyGeneration(afterLook);
		afterLook.onceRun(() -> cache.upstream.land(8));
		assertThat(stored(cache.lookup()).detail()).isEqualTo(Lookup.Detail.REVALIDATING);
		assertThat(cache.upstream.fetches()).isEqualTo(2);
	}

	@Test
	void lookupWhenFlightWasSharedLateNextOneIsFree() {
		FakeTime time = new FakeTime();
		ComfyCloudStandIn upstream = new ComfyCloudStandIn();
		Hook afterLook = new Hook();
		PromptCache hooked = cacheWith(time, upstream, afterLook);
		hooked.lookup(RequestDirectives.NONE);
		afterLook.onceRun(() -> upstream.land(7));
		hooked.lookup(RequestDirectives.NONE);
		time.advance(Duration.ofSeconds(6));
		Lookup next = hooked.lookup(RequestDirectives.NONE);
		upstream.land(8);
		assertThat(fetched(next).snapshot().promptInfo().remaining()).isEqualTo(8);
	}

	@Test
	void lookupWhenAnswerArrivesDuringCallIsSettled() {
		cache.upstream.answerWith(() -> Mono.just(cache.upstream.answered(7)));
		assertThat(fetched(cache.lookup()).collapsed()).isFalse();
		assertThat(stored(cache.lookup()).snapshot().promptInfo().remaining()).isEqualTo(7);
	}

	@Test
	void lookupWhenFailureArrivesDuringCallIsSettled() {
		cache.upstream.answerWith(() -> Mono.just(cache.upstream.failure(Reason.CONNECTION_REFUSED)));
		assertThat(failed(cache.lookup()).fromCooldown()).isFalse();
		assertThat(failed(cache.lookup()).fromCooldown()).isTrue();
	}

	@ParameterizedTest
	@MethodSource("bugs")
	void lookupWhenClientHasBugIsToldOfIt(Supplier<Mono<UpstreamOutcome>> bug) {
		cache.upstream.answerWith(bug);
		assertThat(awaited(cache.lookup()).answer()).isCompletedExceptionally();
	}

	@ParameterizedTest
	@MethodSource("bugs")
	void lookupWhenClientHadBugFetchesAnew(Supplier<Mono<UpstreamOutcome>> bug) {
		cache.upstream.answerWith(bug);
		cache.lookup();
		cache.upstream.answerLater();
		Lookup next = cache.lookup();
		cache.upstream.land(7);
		assertThat(fetched(next).collapsed()).isFalse();
	}

	@ParameterizedTest
	@MethodSource("bugs")
	void lookupWhenClientHasBugWhileRevalidatingStillServes(Supplier<Mono<UpstreamOutcome>> bug) {
		cache.fetch(7);
		cache.advanceSeconds(3);
		cache.upstream.answerWith(bug);
		assertThat(stored(cache.lookup()).snapshot().promptInfo().remaining()).isEqualTo(7);
	}

	static Stream<Supplier<Mono<UpstreamOutcome>>> bugs() {
		return Stream.of(() -> Mono.error(new IllegalStateException()), () -> Mono.error(new AssertionError()),
				Mono::empty, () -> {
					throw new IllegalStateException();
				}, () -> {
					throw new AssertionError();
				}, () -> Mono.fromSupplier(() -> {
					throw new StackOverflowError();
				}));
	}

	@ParameterizedTest
	@MethodSource("throwables")
	void lookupWhenStoringHasBugNextOneFetchesAnew(Throwable bug) {
		FakeTime time = new FakeTime();
		ComfyCloudStandIn upstream = new ComfyCloudStandIn();
		Hook beforeReading = new Hook();
		PromptCache hooked = cacheWith(() -> {
			beforeReading.run();
			return time.read();
		}, time, upstream, new Hook());
		Lookup first = hooked.lookup(RequestDirectives.NONE);
		beforeReading.onceThrow(bug);
		upstream.land(7);
		assertThat(awaited(first).answer()).isCompletedExceptionally();
		Lookup next = hooked.lookup(RequestDirectives.NONE);
		upstream.land(8);
		assertThat(fetched(next).snapshot().promptInfo().remaining()).isEqualTo(8);
	}

	static Stream<Throwable> throwables() {
		return Stream.of(new IllegalStateException(), new AssertionError());
	}

	private List<Lookup> lookupFromManyThreads() throws Exception {
		CountDownLatch ready = new CountDownLatch(CALLERS);
		CountDownLatch go = new CountDownLatch(1);
		List<Future<Lookup>> results = new ArrayList<>();
		try (ExecutorService callers = Executors.newFixedThreadPool(CALLERS)) {
			for (int i = 0; i < CALLERS; i++) {
				results.add(callers.submit(() -> {
					ready.countDown();
					go.await();
					return cache.lookup();
				}));
			}
			assertThat(ready.await(30, TimeUnit.SECONDS)).isTrue();
			go.countDown();
			List<Lookup> lookups = new ArrayList<>();
			for (Future<Lookup> result : results) {
				lookups.add(result.get(30, TimeUnit.SECONDS));
			}
			return lookups;
		}
	}

	private static void assertShared(List<Lookup> lookups, Forward forward) {
		List<Lookup> settled = lookups.stream().map(CacheUnderTest::settled).toList();
		assertThat(settled).hasSize(CALLERS)
			.allSatisfy(lookup -> assertThat(fetched(lookup).forward()).isEqualTo(forward));
		assertThat(settled.stream().filter(lookup -> !fetched(lookup).collapsed())).hasSize(1);
		assertThat(settled.stream().map(lookup -> fetched(lookup).snapshot()))
			.containsOnly(fetched(settled.get(0)).snapshot());
	}

	private static PromptCache cacheWith(FakeTime time, ComfyCloudStandIn upstream, Hook afterLook) {
		return cacheWith(time, time, upstream, afterLook);
	}

	private static PromptCache cacheWith(Ticker ticker, FakeTime time, ComfyCloudStandIn upstream, Hook afterLook) {
		GatewayProperties properties = GatewaySettings.with();
		CacheManager caches = new CacheConfiguration().cacheManager();
		CaffeineCache cache = (CaffeineCache) Objects.requireNonNull(caches.getCache(PromptCache.NAME));
		SimpleCacheManager hooked = new SimpleCacheManager();
		hooked.setCaches(List.of(new CaffeineCache(PromptCache.NAME, cache.getNativeCache()) {
			@Override
			public <T> @Nullable T get(Object key, @Nullable Class<T> type) {
				T seen = super.get(key, type);
				afterLook.run();
				return seen;
			}
		}));
		hooked.initializeCaches();
		return new PromptCache(hooked, upstream.client(), properties, ticker, time, () -> Long.MIN_VALUE);
	}

	/** Place at which a test has something happen once. */
	private static final class Hook implements Runnable {

		private @Nullable Runnable action;

		private @Nullable Throwable bug;

		void onceRun(Runnable action) {
			this.action = action;
		}

		void onceThrow(Throwable bug) {
			this.bug = bug;
		}

		@Override
		public void run() {
			Runnable due = action;
			action = null;
			if (due != null) {
				due.run();
			}
			Throwable thrown = bug;
			bug = null;
			if (thrown instanceof RuntimeException exception) {
				throw exception;
			}
			if (thrown instanceof Error error) {
				throw error;
			}
		}

	}

}
