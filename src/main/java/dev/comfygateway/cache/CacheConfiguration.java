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
 * Configuration of the Caffeine cache. It is registered with Spring's cache abstraction,
 * which provides the metrics and the actuator endpoint.
 */
@Configuration(proxyBeanMethods = false)
class CacheConfiguration {

	private static final int MAX_ENTRIES = 1;

	@Bean
	FreshnessPolicy freshnessPolicy(GatewayProperties properties) {
		return FreshnessPolicy.of(properties);
	}

	/**
	 * Creates the manager of the only cache. Its entry expires when it may no longer be
	 * served to any caller. {@link PromptCache} records the hits and misses of callers,
	 * so that reads for metrics are not counted.
	 */
	@Bean
	CaffeineCacheManager cacheManager(FreshnessPolicy policy, Ticker ticker, StatsCounter statistics) {
		CaffeineCacheManager caches = new CaffeineCacheManager();
		caches.registerCustomCache(ResultStore.NAME, Caffeine.newBuilder()
			.maximumSize(MAX_ENTRIES)
			.expireAfter(Expiry.writing((key, snapshot) -> lifetime((Snapshot) snapshot, policy, ticker.read())))
			.ticker(ticker)
			.recordStats(() -> statistics)
			.build());
		// Caches of other names are not created on demand
		caches.setCacheNames(List.of());
		return caches;
	}

	private static Duration lifetime(Snapshot snapshot, FreshnessPolicy policy, long now) {
		return Duration.ofNanos(Math.max(0, policy.remainingLifetime(snapshot, now)));
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
