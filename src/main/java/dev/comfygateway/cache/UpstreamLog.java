package dev.comfygateway.cache;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.comfygateway.error.ErrorAnswer;
import dev.comfygateway.upstream.ComfyCloudClient;
import dev.comfygateway.upstream.UpstreamFailure;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Log of the upstream's changes: one line for each change of state, and for each change
 * of the cause within an outage.
 */
final class UpstreamLog {

	private static final Logger log = LoggerFactory.getLogger(UpstreamLog.class);

	private final ComfyCloudClient client;

	private final Ticker ticker;

	private final InstantSource clock;

	UpstreamLog(ComfyCloudClient client, Ticker ticker, InstantSource clock) {
		this.client = client;
		this.ticker = ticker;
		this.clock = clock;
	}

	void logChange(@Nullable FetchResult previous, FetchResult result) {
		Cooldown outage = previous instanceof Cooldown cooldown ? cooldown : null;
		if (!(result instanceof Cooldown cooldown)) {
			if (outage != null) {
				log.info("Upstream {} answers again after {} s and {} failed attempts", client.host(),
						TimeUnit.NANOSECONDS.toSeconds(ticker.read() - outage.since()), outage.failures());
			}
			return;
		}
		String cause = cause(cooldown.failure());
		if (outage != null && outage.keyVersion() == cooldown.keyVersion() && cause.equals(cause(outage.failure()))) {
			return;
		}
		Instant next = clock.instant().plusNanos(cooldown.until() - ticker.read()).truncatedTo(ChronoUnit.MILLIS);
		if (cooldown.failure().reason().isKeyRefused()) {
			log.error("Upstream {} refuses the key: {}; replace the key; next attempt not before {}", client.host(),
					cause, next);
		}
		else {
			log.warn("Upstream {} fails: {}; next attempt not before {}", client.host(), cause, next);
		}
	}

	/** Cause of a failure, without the upstream's message. */
	private String cause(UpstreamFailure failure) {
		ErrorAnswer answer = ErrorAnswer.of(failure);
		String cause = answer.body().code() + ", " + answer.reason();
		if (failure.proxyStatus().isPresent()) {
			return cause + "; the outbound proxy answered " + failure.status();
		}
		// Without a status, either the proxy or the upstream can have failed
		return failure.status() == 0
				? cause + client.proxy().map(proxy -> "; through the outbound proxy " + proxy).orElse("") : cause;
	}

	void logDeprecation() {
		log.warn("Upstream {} announces the end of this API by Deprecation or Sunset", client.host());
	}

}
