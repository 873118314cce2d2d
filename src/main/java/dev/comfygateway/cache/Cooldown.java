package dev.comfygateway.cache;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.upstream.UpstreamFailure;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Failure of a fetch, and the cool-down after it, in which no request is made.
 *
 * @param failure what callers get meanwhile
 * @param at time of the failure
 * @param interval length of the cool-down before jitter; the next failure in a row
 * doubles it
 * @param until end of the cool-down
 * @param keyRefused whether this failure or an earlier one in a row refused the key
 * @param since time of the first failure in a row
 * @param failures number of failures in a row
 */
public record Cooldown(UpstreamFailure failure, long at, Duration interval, long until, boolean keyRefused, long since,
		int failures) implements FetchResult {

	private static final double JITTER = 0.2;

	/**
	 * Cool-down after a failure.
	 * @param previous cool-down after the previous result; absent after a success
	 */
	static Cooldown after(UpstreamFailure failure, @Nullable Cooldown previous, GatewayProperties properties,
			RandomGenerator random, long now) {
		boolean keyRefused = failure.reason().isKeyRefused();
		Duration interval = properties.maxCooldown();
		if (!keyRefused) {
			Duration next = previous == null ? properties.cooldown() : previous.interval.multipliedBy(2);
			interval = next.compareTo(interval) < 0 ? next : interval;
		}
		double jitter = 1 + JITTER * (2 * random.nextDouble() - 1);
		long pause = (long) (interval.toNanos() * jitter);
		Duration retryAfter = failure.retryAfter();
		long until = now + (retryAfter == null ? pause : Math.max(pause, retryAfter.toNanos()));
		return previous == null ? new Cooldown(failure, now, interval, until, keyRefused, now, 1)
				: new Cooldown(failure, now, interval, until, keyRefused || previous.keyRefused, previous.since,
						previous.failures + 1);
	}

	@Override
	public long keyVersion() {
		return failure.keyVersion();
	}

	boolean isOver(long now) {
		return now - until >= 0;
	}

	/** Time left in nanoseconds; zero if the cool-down is over. */
	public long remaining(long now) {
		return Math.max(0, until - now);
	}

	/** Seconds left, as in {@code Retry-After}: whole, rounded up, at least 1. */
	long retryAfterSeconds(long now) {
		return Math.max(1, Math.ceilDiv(until - now, TimeUnit.SECONDS.toNanos(1)));
	}

	/** Whether the failure ends the stored answer. */
	public boolean endsAnswer() {
		return !FreshnessPolicy.isTransient(failure);
	}
}
