package dev.comfygateway.cache;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.upstream.UpstreamFailure;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.springframework.util.backoff.BackOffExecution;
import org.springframework.util.backoff.ExponentialBackOff;

/**
 * Cool-down after a failure, in which the upstream is left alone.
 *
 * @param failure failure that caused it; callers get it meanwhile
 * @param backOff intervals before jitter, in milliseconds; each failure in a row takes
 * the next one
 * @param until when the cool-down ends, in nanoseconds of the cache's ticker
 * @param keyRefused whether the key was refused, by this failure or by an earlier one in
 * a row
 * @param since first failure in a row, in nanoseconds of the cache's ticker
 * @param failures failures in a row
 */
record Cooldown(UpstreamFailure failure, BackOffExecution backOff, long until, boolean keyRefused, long since,
		int failures) {

	private static final double JITTER = 0.2;

	/**
	 * Cool-down after a failure.
	 * @param previous cool-down after the failure before this one, where that was the
	 * last result
	 */
	static Cooldown after(UpstreamFailure failure, @Nullable Cooldown previous, GatewayProperties properties,
			RandomGenerator random, long now) {
		boolean refused = failure.reason().isRefusal();
		BackOffExecution backOff = refused || previous == null ? backOff(properties, refused) : previous.backOff;
		double jitter = 1 + JITTER * (2 * random.nextDouble() - 1);
		long pause = (long) (TimeUnit.MILLISECONDS.toNanos(backOff.nextBackOff()) * jitter);
		Duration retryAfter = failure.retryAfter();
		long until = now + (retryAfter == null ? pause : Math.max(pause, retryAfter.toNanos()));
		boolean keyRefused = failure.reason().isKeyRefused() || (previous != null && previous.keyRefused);
		return new Cooldown(failure, backOff, until, keyRefused, previous == null ? now : previous.since,
				previous == null ? 1 : previous.failures + 1);
	}

	/** Back-off; after a refused key it starts at its maximum. */
	private static BackOffExecution backOff(GatewayProperties properties, boolean keyRefused) {
		ExponentialBackOff backOff = new ExponentialBackOff();
		backOff.setInitialInterval((keyRefused ? properties.maxCooldown() : properties.cooldown()).toMillis());
		backOff.setMultiplier(2);
		backOff.setMaxInterval(properties.maxCooldown().toMillis());
		return backOff.start();
	}

	boolean isOver(long now) {
		return now - until >= 0;
	}

	/** Seconds left, as in {@code Retry-After}: whole, rounded up, at least 1. */
	long retryAfterSeconds(long now) {
		return Math.max(1, Math.ceilDiv(until - now, TimeUnit.SECONDS.toNanos(1)));
	}
}
