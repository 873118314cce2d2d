package dev.comfygateway.cache;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.upstream.UpstreamFailure;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Failure of a fetch, and the cool-down after it. No upstream request is made during a
 * cool-down.
 *
 * @param failure failure that callers get during the cool-down
 * @param atNanos time of the failure
 * @param interval length of the cool-down before jitter; doubles with the next
 * consecutive failure
 * @param untilNanos end of the cool-down
 * @param keyRefused whether the key was refused since the last success
 * @param firstFailureNanos time of the first failure since the last success
 * @param failures number of consecutive failures
 */
public record Cooldown(UpstreamFailure failure, long atNanos, Duration interval, long untilNanos, boolean keyRefused,
		long firstFailureNanos, int failures) implements FetchResult {

	private static final double JITTER = 0.2;

	/**
	 * Creates the cool-down after a failure.
	 * @param previous cool-down after the previous result; null after a success
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
		long untilNanos = now + (retryAfter == null ? pause : Math.max(pause, retryAfter.toNanos()));
		return previous == null ? new Cooldown(failure, now, interval, untilNanos, keyRefused, now, 1)
				: new Cooldown(failure, now, interval, untilNanos, keyRefused || previous.keyRefused,
						previous.firstFailureNanos, previous.failures + 1);
	}

	@Override
	public long keyVersion() {
		return failure.keyVersion();
	}

	boolean isExpired(long now) {
		return now - untilNanos >= 0;
	}

	/** Returns the remaining time in nanoseconds; zero if the cool-down is over. */
	public long remaining(long now) {
		return Math.max(0, untilNanos - now);
	}

	/**
	 * Returns the value of {@code Retry-After}: the remaining time in whole seconds,
	 * rounded up, at least 1.
	 */
	long retryAfterSeconds(long now) {
		return Math.max(1, Math.ceilDiv(untilNanos - now, TimeUnit.SECONDS.toNanos(1)));
	}

	/** Returns whether the failure invalidates the stored answer. */
	public boolean invalidatesAnswer() {
		return !FreshnessPolicy.isTransient(failure);
	}
}
