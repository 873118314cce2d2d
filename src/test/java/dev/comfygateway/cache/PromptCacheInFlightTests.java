package dev.comfygateway.cache;

import com.github.benmanes.caffeine.cache.Ticker;
import com.github.benmanes.caffeine.cache.stats.StatsCounter;
import dev.comfygateway.cache.Lookup.Forward;
import dev.comfygateway.support.FakeTime;
import dev.comfygateway.support.GatewaySettings;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import dev.comfygateway.upstream.UpstreamOutcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
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

import static dev.comfygateway.cache.CacheUnderTest.awaited;
import static dev.comfygateway.cache.CacheUnderTest.failed;
import static dev.comfygateway.cache.CacheUnderTest.fetched;
import static dev.comfygateway.cache.CacheUnderTest.settled;
import static dev.comfygateway.cache.CacheUnderTest.stored;
import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.Mockito.doAnswer;
import static org.mockito.Mockito.mock;

/** Tests that callers share one fetch in flight, and that it always completes. */
class PromptCacheInFlightTests {

	private static final int CALLERS = 200;

	private final CacheUnderTest cache = new CacheUnderTest();

	@Test
	void lookupWhenManyCallersAndCacheIsEmptyFetchesOnce() throws Exception {
		List<Lookup> lookups = lookupFromManyThreads();
		assertThat(cache.upstream.fetches()).isEqualTo(1);
		cache.upstream.complete(7);
		assertShared(lookups, Forward.URI_MISS);
	}

	@Test
	void lookupWhenManyCallersAndAnswerIsExpiredFetchesOnce() throws Exception {
		cache.fetch(7);
		cache.advanceSeconds(6);
		List<Lookup> lookups = lookupFromManyThreads();
		assertThat(cache.upstream.fetches()).isEqualTo(2);
		cache.upstream.complete(8);
		assertShared(lookups, Forward.STALE);
	}

	@Test
	void lookupWhenManyCallersAndRevalidatingFetchesOnce() throws Exception {
		cache.fetch(7);
		cache.advanceSeconds(3);
		assertThat(lookupFromManyThreads()).hasSize(CALLERS)
			.allSatisfy(lookup -> assertThat(stored(lookup).detail()).isEqualTo(Lookup.Detail.REVALIDATING));
		assertThat(cache.upstream.fetches()).isEqualTo(2);
	}

	@Test
	void lookupWhenManyCallersAndFetchFailsSharesFailure() throws Exception {
		List<Lookup> lookups = lookupFromManyThreads();
		cache.upstream.complete(Reason.RESPONSE_TIMEOUT);
		assertThat(lookups).hasSize(CALLERS)
			.allSatisfy(lookup -> assertThat(failed(lookup).failure().reason()).isEqualTo(Reason.RESPONSE_TIMEOUT));
	}

	@Test
	void lookupInMemoryWhenNothingIsStoredIsEmpty() {
		assertThat(cache.cache.lookupInMemory(RequestDirectives.NONE)).isEmpty();
		assertThat(cache.upstream.fetches()).isZero();
		assertThat(cache.statistics.snapshot().requestCount()).isZero();
	}

	@Test
	void lookupInMemoryWhenFetchIsInFlightDoesNotJoin() {
		cache.lookup();
		assertThat(cache.cache.lookupInMemory(RequestDirectives.NONE)).isEmpty();
		cache.upstream.complete(7);
		assertThat(cache.cache.lookupInMemory(RequestDirectives.NONE)).isPresent();
		assertThat(cache.upstream.fetches()).isEqualTo(1);
	}

	@Test
	void lookupInMemoryWhenStaleServesAndRefreshesInBackground() {
		cache.fetch(7);
		cache.advanceSeconds(3);
		Lookup lookup = cache.cache.lookupInMemory(RequestDirectives.NONE).orElseThrow();
		assertThat(stored(lookup).detail()).isEqualTo(Lookup.Detail.REVALIDATING);
		assertThat(cache.upstream.fetches()).isEqualTo(2);
	}

	@Test
	void lookupInMemoryWhenTooOldIsEmpty() {
		cache.fetch(7);
		cache.advanceSeconds(6);
		assertThat(cache.cache.lookupInMemory(RequestDirectives.NONE)).isEmpty();
		assertThat(cache.upstream.fetches()).isEqualTo(1);
	}

	@Test
	void lookupInMemoryWhenCoolingDownIsFailureOrStale() {
		cache.lookup();
		cache.upstream.complete(Reason.RESPONSE_TIMEOUT);
		assertThat(cache.cache.lookupInMemory(RequestDirectives.NONE).orElseThrow()).isInstanceOf(Lookup.Failed.class);
		CacheUnderTest expired = CacheUnderTest.withStored(7);
		expired.advanceSeconds(6);
		expired.lookup();
		expired.upstream.complete(Reason.RESPONSE_TIMEOUT);
		assertThat(stored(expired.cache.lookupInMemory(RequestDirectives.NONE).orElseThrow()).detail())
			.isEqualTo(Lookup.Detail.UPSTREAM_FAILURE);
		assertThat(expired.upstream.fetches()).isEqualTo(2);
	}

	@Test
	void lookupWhenNoCacheIsRequestedJoinsFetchInFlight() {
		cache.fetch(7);
		cache.advanceSeconds(3);
		cache.lookup();
		Lookup lookup = cache.lookup("no-cache");
		cache.upstream.complete(8);
		Lookup.Fetched fetched = fetched(lookup);
		assertThat(fetched).isEqualTo(new Lookup.Fetched(fetched.snapshot(), 0, Duration.ofSeconds(2).toNanos(),
				Forward.REQUEST, true, false));
		assertThat(cache.upstream.fetches()).isEqualTo(2);
	}

	@Test
	void lookupWhenFreshForIsZeroSharesOneFetch() {
		CacheUnderTest none = new CacheUnderTest("fresh-for=0s");
		Lookup first = none.lookup();
		Lookup second = none.lookup();
		none.upstream.complete(7);
		assertThat(List.of(fetched(first).collapsed(), fetched(second).collapsed())).containsExactly(false, true);
		assertThat(none.upstream.fetches()).isEqualTo(1);
	}

	@ParameterizedTest
	@ValueSource(booleans = { false, true })
	void lookupWhenCallerCancelsCompletesForOthers(boolean firstCancels) {
		Lookup first = cache.lookup();
		Lookup second = cache.lookup();
		awaited(firstCancels ? first : second).answer().cancel(true);
		cache.upstream.complete(7);
		assertThat(fetched(firstCancels ? second : first).snapshot().promptInfo().remaining()).isEqualTo(7);
		assertThat(stored(cache.lookup()).snapshot().promptInfo().remaining()).isEqualTo(7);
	}

	@Test
	void lookupWhenFetchCompletesBetweenReadAndJoinSharesIt() {
		FakeTime time = new FakeTime();
		ComfyCloudStub upstream = new ComfyCloudStub();
		Hook beforeJoin = new Hook();
		PromptCache hooked = cacheWith(time, upstream, beforeJoin);
		hooked.lookup(RequestDirectives.NONE);
		beforeJoin.onceRun(() -> upstream.complete(7));
		Lookup lookup = hooked.lookup(RequestDirectives.NONE);
		assertThat(fetched(lookup)).satisfies(fetched -> {
			assertThat(fetched.snapshot().promptInfo().remaining()).isEqualTo(7);
			assertThat(fetched.forward()).isEqualTo(Forward.URI_MISS);
			assertThat(fetched.collapsed()).isTrue();
		});
		assertThat(upstream.fetches()).isEqualTo(1);
	}

	@Test
	void lookupWhenFetchFailsBetweenReadAndJoinSharesFailure() {
		FakeTime time = new FakeTime();
		ComfyCloudStub upstream = new ComfyCloudStub();
		Hook beforeJoin = new Hook();
		PromptCache hooked = cacheWith(time, upstream, beforeJoin);
		hooked.lookup(RequestDirectives.NONE);
		beforeJoin.onceRun(() -> upstream.complete(Reason.UNAUTHORIZED));
		assertThat(failed(hooked.lookup(RequestDirectives.NONE)).failure().reason()).isEqualTo(Reason.UNAUTHORIZED);
		assertThat(upstream.fetches()).isEqualTo(1);
	}

	@Test
	void lookupWhenRefreshCompletesBetweenReadAndJoinDoesNotRepeatIt() {
		cache.fetch(7);
		cache.advanceSeconds(3);
		cache.lookup();
		Hook beforeJoin = new Hook();
		cache.upstream.onKeyVersion(beforeJoin);
		beforeJoin.onceRun(() -> cache.upstream.complete(8));
		assertThat(stored(cache.lookup()).detail()).isEqualTo(Lookup.Detail.REVALIDATING);
		assertThat(cache.upstream.fetches()).isEqualTo(2);
	}

	@Test
	void lookupWhenCompletedFetchWasJoinedFetchesAgain() {
		FakeTime time = new FakeTime();
		ComfyCloudStub upstream = new ComfyCloudStub();
		Hook beforeJoin = new Hook();
		PromptCache hooked = cacheWith(time, upstream, beforeJoin);
		hooked.lookup(RequestDirectives.NONE);
		beforeJoin.onceRun(() -> upstream.complete(7));
		hooked.lookup(RequestDirectives.NONE);
		time.advance(Duration.ofSeconds(6));
		Lookup next = hooked.lookup(RequestDirectives.NONE);
		upstream.complete(8);
		assertThat(fetched(next).snapshot().promptInfo().remaining()).isEqualTo(8);
	}

	@Test
	void lookupWhenAnswerArrivesDuringCallIsSettled() {
		cache.upstream.answerWith(() -> CompletableFuture.completedFuture(cache.upstream.answered(7)));
		assertThat(fetched(cache.lookup()).collapsed()).isFalse();
		assertThat(stored(cache.lookup()).snapshot().promptInfo().remaining()).isEqualTo(7);
	}

	@Test
	void lookupWhenFailureArrivesDuringCallIsSettled() {
		cache.upstream
			.answerWith(() -> CompletableFuture.completedFuture(cache.upstream.failure(Reason.CONNECTION_REFUSED)));
		assertThat(failed(cache.lookup()).retryAfterSeconds()).isPositive();
		assertThat(cache.lookup()).isInstanceOf(Lookup.Failed.class);
	}

	@ParameterizedTest
	@MethodSource("bugs")
	void lookupWhenClientHasBugCompletesExceptionally(Supplier<CompletableFuture<UpstreamOutcome>> bug) {
		cache.upstream.answerWith(bug);
		assertThat(awaited(cache.lookup()).answer()).isCompletedExceptionally();
	}

	@ParameterizedTest
	@MethodSource("bugs")
	void lookupWhenClientHadBugFetchesAgain(Supplier<CompletableFuture<UpstreamOutcome>> bug) {
		cache.upstream.answerWith(bug);
		cache.lookup();
		cache.upstream.answerManually();
		Lookup next = cache.lookup();
		cache.upstream.complete(7);
		assertThat(fetched(next).collapsed()).isFalse();
	}

	@ParameterizedTest
	@MethodSource("bugs")
	void lookupWhenClientHasBugWhileRevalidatingStillServes(Supplier<CompletableFuture<UpstreamOutcome>> bug) {
		cache.fetch(7);
		cache.advanceSeconds(3);
		cache.upstream.answerWith(bug);
		assertThat(stored(cache.lookup()).snapshot().promptInfo().remaining()).isEqualTo(7);
	}

	static Stream<Supplier<CompletableFuture<UpstreamOutcome>>> bugs() {
		return Stream.of(() -> CompletableFuture.failedFuture(new IllegalStateException()),
				() -> CompletableFuture.failedFuture(new AssertionError()), () -> {
					throw new IllegalStateException();
				}, () -> {
					throw new StackOverflowError();
				});
	}

	@ParameterizedTest
	@MethodSource("throwables")
	void lookupWhenStoringHadBugFetchesAgain(Throwable bug) {
		FakeTime time = new FakeTime();
		ComfyCloudStub upstream = new ComfyCloudStub();
		Hook beforeReading = new Hook();
		PromptCache hooked = cacheWith(() -> {
			beforeReading.run();
			return time.read();
		}, time, upstream, new Hook());
		Lookup first = hooked.lookup(RequestDirectives.NONE);
		beforeReading.onceThrow(bug);
		upstream.complete(7);
		assertThat(awaited(first).answer()).isCompletedExceptionally();
		Lookup next = hooked.lookup(RequestDirectives.NONE);
		upstream.complete(8);
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

	private static PromptCache cacheWith(FakeTime time, ComfyCloudStub upstream, Hook beforeJoin) {
		return cacheWith(time, time, upstream, beforeJoin);
	}

	/** Returns a cache with a hook between reading the entry and joining a fetch. */
	private static PromptCache cacheWith(Ticker ticker, FakeTime time, ComfyCloudStub upstream, Hook beforeJoin) {
		StatsCounter hooked = mock(StatsCounter.class);
		doAnswer(call -> {
			beforeJoin.run();
			return null;
		}).when(hooked).recordMisses(1);
		return new CacheUnderTest(false, time, ticker, upstream, hooked, GatewaySettings.with()).cache;
	}

	/** Hook that runs an action once. */
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
