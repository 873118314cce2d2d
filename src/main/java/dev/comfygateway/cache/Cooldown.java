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
 * @param interval the one that this cool-down took
 * @param until when the cool-down ends, in nanoseconds of the cache's ticker
 * @param keyRefused whether the key was refused, by this failure or by an earlier one in
 * a row
 * @param since first failure in a row, in nanoseconds of the cache's ticker
 * @param failures failures in a row
 */
record Cooldown(UpstreamFailure failure, BackOffExecution backOff, Duration interval, long until, boolean keyRefused,
		long since, int failures) {

	private static final double JITTER = 0.2;

	/**
	 * Cool-down after a failure.
	 * @param previous cool-down after the failure before this one, where that was the
	 * last result
	 */
	static Cooldown after(UpstreamFailure failure, @Nullable Cooldown previous, GatewayProperties properties,
			RandomGenerator random, long now) {
		boolean refused = failure.reason().isKeyRefused();
		BackOffExecution backOff = refused || previous == null
				? backOff(refused ? properties.maxCooldown() : properties.cooldown(), properties) : previous.backOff;
		Duration interval = Duration.ofMillis(backOff.nextBackOff());
		double jitter = 1 + JITTER * (2 * random.nextDouble() - 1);
		long pause = (long) (interval.toNanos() * jitter);
		Duration retryAfter = failure.retryAfter();
		long until = now + (retryAfter == null ? pause : Math.max(pause, retryAfter.toNanos()));
		boolean keyRefused = failure.reason().isKeyRefused() || (previous != null && previous.keyRefused);
		return new Cooldown(failure, backOff, interval, until, keyRefused, previous == null ? now : previous.since,
				previous == null ? 1 : previous.failures + 1);
	}

	/** Cool-down of the fleet. */
	static Cooldown of(SharedResult.Failure shared, GatewayProperties properties, long now) {
		BackOffExecution backOff = backOff(shared.interval(), properties);
		Duration interval = Duration.ofMillis(backOff.nextBackOff());
		return new Cooldown(shared.failure(), backOff, interval, now + shared.left().toNanos(), shared.keyRefused(),
				now - shared.sinceFirst().toNanos(), shared.failures());
	}

	/** Cool-down for the fleet. */
	SharedResult.Failure share(long now) {
		return new SharedResult.Failure(failure, !FreshnessPolicy.isTransient(failure), interval,
				Duration.ofNanos(Math.max(0, until - now)), keyRefused, failures, Duration.ofNanos(now - since));
	}

	private static BackOffExecution backOff(Duration first, GatewayProperties properties) {
		ExponentialBackOff backOff = new ExponentialBackOff();
		backOff.setInitialInterval(first.toMillis());
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
