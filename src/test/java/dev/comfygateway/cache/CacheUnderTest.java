package dev.comfygateway.cache;

import com.github.benmanes.caffeine.cache.Ticker;
import com.github.benmanes.caffeine.cache.stats.ConcurrentStatsCounter;
import com.github.benmanes.caffeine.cache.stats.StatsCounter;
import dev.comfygateway.GatewayProperties;
import dev.comfygateway.support.FakeTime;
import dev.comfygateway.support.GatewaySettings;
import java.time.Duration;
import java.util.List;
import java.util.random.RandomGenerator;
import org.springframework.cache.CacheManager;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * {@link PromptCache} on a fake clock, without jitter, with a stub of the upstream.
 */
final class CacheUnderTest {

	static final Duration NANO = Duration.ofNanos(1);

	/** Random value in the middle of the range, which yields no jitter. */
	private static final RandomGenerator NO_JITTER = () -> Long.MIN_VALUE;

	final FakeTime time;

	final ComfyCloudStub upstream;

	final StatsCounter statistics;

	final FleetStub fleet = new FleetStub();

	final CacheManager caches;

	final PromptCache cache;

	final ListenerRefresh refresh;

	CacheUnderTest(String... settings) {
		this(false, settings);
	}

	private CacheUnderTest(boolean inFleet, String... settings) {
		this(inFleet, new FakeTime(), settings);
	}

	private CacheUnderTest(boolean inFleet, FakeTime time, String... settings) {
		this(inFleet, time, time, new ComfyCloudStub(), new ConcurrentStatsCounter(), GatewaySettings.with(settings));
	}

	/** Creates a cache with the ticker and the statistics counter of a test. */
	CacheUnderTest(boolean inFleet, FakeTime time, Ticker ticker, ComfyCloudStub upstream, StatsCounter statistics,
			GatewayProperties properties) {
		this.time = time;
		this.upstream = upstream;
		this.statistics = statistics;
		FreshnessPolicy policy = FreshnessPolicy.of(properties);
		this.caches = new CacheConfiguration().cacheManager(policy, ticker, statistics);
		ResultStore results = new ResultStore(caches, upstream.client(), policy, properties, ticker, time, NO_JITTER);
		Fetches fetches = new Fetches(inFleet ? fleet : new SingleReplica(), upstream.client(), results, policy,
				ticker);
		this.cache = new PromptCache(results, fetches, policy, statistics, upstream.client(), ticker);
		this.refresh = new ListenerRefresh(results, fetches, policy, ticker);
	}

	/** Returns a cache that belongs to a fleet. */
	static CacheUnderTest inFleet(String... settings) {
		return new CacheUnderTest(true, settings);
	}

	/** Returns a cache with a stored answer of age 0. */
	static CacheUnderTest withStored(long queueRemaining, String... settings) {
		CacheUnderTest cache = new CacheUnderTest(settings);
		cache.fetch(queueRemaining);
		return cache;
	}

	/** Fetches an answer, which the cache stores. */
	void fetch(long queueRemaining) {
		Lookup lookup = lookup();
		upstream.complete(queueRemaining);
		assertThat(settled(lookup)).isInstanceOf(Lookup.Fetched.class);
	}

	void advance(Duration by) {
		time.advance(by);
	}

	void advanceSeconds(long seconds) {
		time.advance(Duration.ofSeconds(seconds));
	}

	Lookup lookup() {
		return cache.lookup(RequestDirectives.NONE);
	}

	Lookup lookup(String cacheControl) {
		return cache.lookup(RequestDirectives.of(List.of(cacheControl), null));
	}

	/** Returns the result of a lookup, whose fetch, if any, must be complete. */
	static Lookup settled(Lookup lookup) {
		if (lookup instanceof Lookup.Awaited(var answer)) {
			assertThat(answer).isCompleted();
			return answer.join();
		}
		return lookup;
	}

	static Lookup.Awaited awaited(Lookup lookup) {
		assertThat(lookup).isInstanceOf(Lookup.Awaited.class);
		return (Lookup.Awaited) lookup;
	}

	static Lookup.Stored stored(Lookup lookup) {
		Lookup settled = settled(lookup);
		assertThat(settled).isInstanceOf(Lookup.Stored.class);
		return (Lookup.Stored) settled;
	}

	static Lookup.Fetched fetched(Lookup lookup) {
		Lookup settled = settled(lookup);
		assertThat(settled).isInstanceOf(Lookup.Fetched.class);
		return (Lookup.Fetched) settled;
	}

	static Lookup.Failed failed(Lookup lookup) {
		Lookup settled = settled(lookup);
		assertThat(settled).isInstanceOf(Lookup.Failed.class);
		return (Lookup.Failed) settled;
	}

}
