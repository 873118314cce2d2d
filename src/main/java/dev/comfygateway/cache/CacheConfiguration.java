package dev.comfygateway.cache;

import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
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

	/**
	 * Without expiry: Caffeine's is exact to a second only, and how long an answer lives
	 * is {@link Lifetime}'s to say. Nor a size: there is one key, and a bound would make
	 * Caffeine keep a record of each read.
	 */
	@Bean
	CaffeineCacheManager cacheManager() {
		CaffeineCacheManager caches = new CaffeineCacheManager();
		caches.setAllowNullValues(false);
		caches.setCaffeine(Caffeine.newBuilder().recordStats());
		caches.setCacheNames(List.of(PromptCache.NAME));
		return caches;
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
