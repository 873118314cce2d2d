package dev.comfygateway.cache;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.stats.CacheStats;
import dev.comfygateway.upstream.PromptInfo;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import dev.comfygateway.upstream.UpstreamAnswer;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.cache.caffeine.CaffeineCache;

import static org.assertj.core.api.Assertions.assertThat;

/** Tests of Caffeine's expiry and statistics. */
class CacheConfigurationTests {

	@ParameterizedTest
	@CsvSource({ "fresh-for=2s, stale-if-error=30s, PT32S", "fresh-for=2s, stale-if-error=1s, PT5S",
			"fresh-for=0s, stale-if-error=30s, PT30S" })
	void entryExpiresAfterMaximumLifetime(String freshFor, String staleIfError, Duration lifetime) {
		CacheUnderTest cache = CacheUnderTest.withStored(7, freshFor, staleIfError);
		cache.advance(lifetime.minus(CacheUnderTest.NANO));
		assertThat(caffeine(cache).asMap()).hasSize(1);
		cache.advance(CacheUnderTest.NANO);
		assertThat(caffeine(cache).getIfPresent("/api/prompt")).isNull();
		// Caffeine removes expired entries with a delay of slightly more than 1 s
		cache.advanceSeconds(2);
		caffeine(cache).cleanUp();
		assertThat(caffeine(cache).estimatedSize()).isZero();
	}

	@Test
	void entryWhenUpstreamSendsAgeExpiresEarlier() {
		CacheUnderTest cache = new CacheUnderTest();
		cache.lookup();
		cache.upstream.complete(new UpstreamAnswer(new PromptInfo(null), Duration.ofSeconds(20), null, 1));
		cache.advance(Duration.ofSeconds(12).minus(CacheUnderTest.NANO));
		assertThat(caffeine(cache).asMap()).hasSize(1);
		cache.advance(CacheUnderTest.NANO);
		assertThat(caffeine(cache).getIfPresent("/api/prompt")).isNull();
	}

	@Test
	void entryWhenFetchedAgainRestartsLifetime() {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advanceSeconds(31);
		cache.fetch(8);
		cache.advanceSeconds(31);
		assertThat(caffeine(cache).getIfPresent("/api/prompt")).isNotNull();
	}

	@Test
	void cacheWhenNameIsUnknownIsNotCreated() {
		CacheUnderTest cache = new CacheUnderTest();
		assertThat(cache.caches.getCacheNames()).containsExactly("prompt");
		assertThat(cache.caches.getCache("promt")).isNull();
	}

	@Test
	void statisticsCountLookups() {
		CacheUnderTest cache = new CacheUnderTest();
		cache.fetch(7);
		cache.lookup();
		cache.lookup("no-cache");
		cache.advanceSeconds(3);
		cache.lookup();
		cache.advanceSeconds(10);
		cache.lookup();
		CacheStats statistics = statistics(cache);
		assertThat(statistics.hitCount()).as("fresh, within the floor, revalidating").isEqualTo(3);
		assertThat(statistics.missCount()).as("cold, too old").isEqualTo(2);
	}

	@Test
	void statisticsWhenStaleIsServedCountHit() {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		cache.advanceSeconds(10);
		cache.lookup();
		cache.upstream.complete(Reason.RESPONSE_TIMEOUT);
		CacheStats before = statistics(cache);
		cache.lookup();
		assertThat(statistics(cache).minus(before).hitCount()).as("stale in an outage").isEqualTo(1);
	}

	@Test
	void statisticsWhenStatusIsReadAreUnchanged() {
		CacheUnderTest cache = CacheUnderTest.withStored(7);
		CacheStats before = statistics(cache);
		for (int i = 0; i < 10; i++) {
			assertThat(cache.cache.status().observed()).isPresent();
		}
		assertThat(statistics(cache)).isEqualTo(before);
	}

	private static CacheStats statistics(CacheUnderTest cache) {
		return caffeine(cache).stats();
	}

	private static Cache<Object, Object> caffeine(CacheUnderTest cache) {
		return ((CaffeineCache) Objects.requireNonNull(cache.caches.getCache("prompt"))).getNativeCache();
	}

}
