package dev.comfygateway.cache;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.upstream.UpstreamFailure;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Pause after a failure, in which the upstream is left alone.
 *
 * @param failure what failed, and what callers are told meanwhile
 * @param backoff the pause before jitter, in nanoseconds; the next failure in a row
 * doubles it
 * @param until when it ends, on the cache's ticker
 * @param keyRefused whether the key was refused, by this failure or by an earlier one in
 * a row
 */
record Cooldown(UpstreamFailure failure, long backoff, long until, boolean keyRefused) {

	private static final double JITTER = 0.2;

	/**
	 * The pause after a failure.
	 * @param previous the pause after the failure before this one, where that was the
	 * last outcome
	 */
	static Cooldown after(UpstreamFailure failure, @Nullable Cooldown previous, GatewayProperties properties,
			RandomGenerator random, long now) {
		long most = properties.maxCooldown().toNanos();
		long backoff;
		if (failure.reason().isKeyRefused()) {
			backoff = most;
		}
		else if (previous == null) {
			backoff = properties.cooldown().toNanos();
		}
		else {
			backoff = Math.min(2 * previous.backoff, most);
		}
		long pause = (long) (backoff * (1 + JITTER * (2 * random.nextDouble() - 1)));
		Duration asked = failure.retryAfter();
		boolean keyRefused = failure.reason().isKeyRefused() || (previous != null && previous.keyRefused);
		return new Cooldown(failure, backoff, now + (asked == null ? pause : Math.max(pause, asked.toNanos())),
				keyRefused);
	}

	boolean isOver(long now) {
		return now - until >= 0;
	}

	/** Seconds left as {@code Retry-After} tells them: whole, rounded up, at least 1. */
	long retryAfterSeconds(long now) {
		return Math.max(1, Math.ceilDiv(until - now, TimeUnit.SECONDS.toNanos(1)));
	}
}
