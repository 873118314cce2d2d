package dev.comfygateway.cache;

import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Expiry;
import com.github.benmanes.caffeine.cache.Ticker;
import com.github.benmanes.caffeine.cache.stats.ConcurrentStatsCounter;
import com.github.benmanes.caffeine.cache.stats.StatsCounter;
import dev.comfygateway.GatewayProperties;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.cache.caffeine.CaffeineCacheManager;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * Caffeine behind Spring's cache abstraction, which brings its metrics and actuator
 * endpoint.
 */
@Configuration(proxyBeanMethods = false)
class CacheConfiguration {

	/** There is one answer. */
	private static final int MAX_SIZE = 1;

	/**
	 * Manager of the one cache, whose entry ends when it may no longer be served to
	 * anybody. Hits and misses are counted by {@link PromptCache}: they are those of
	 * callers, and a scrape that reads the entry is neither.
	 */
	@Bean
	CaffeineCacheManager cacheManager(GatewayProperties properties, Ticker ticker, StatsCounter statistics) {
		Duration maxAge = Duration.ofNanos(FreshnessPolicy.of(properties).maxAge());
		CaffeineCacheManager caches = new CaffeineCacheManager();
		caches.registerCustomCache(PromptCache.NAME,
				Caffeine.newBuilder()
					.maximumSize(MAX_SIZE)
					.expireAfter(Expiry.writing((key, snapshot) -> maxAge))
					.ticker(ticker)
					.recordStats(() -> statistics)
					.build());
		// No other cache can come into being by a name that is misspelt
		caches.setCacheNames(List.of());
		return caches;
	}

	@Bean
	StatsCounter cacheStatistics() {
		return new ConcurrentStatsCounter();
	}

	@Bean
	@ConditionalOnMissingBean
	Ticker ticker() {
		return Ticker.systemTicker();
	}

	@Bean
	RandomGenerator jitter() {
		return new SplittableRandom();
	}

}
