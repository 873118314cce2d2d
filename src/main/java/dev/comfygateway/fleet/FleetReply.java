package dev.comfygateway.fleet;

import dev.comfygateway.cache.Cooldown;
import dev.comfygateway.cache.Fleet.Claim.Shared;
import dev.comfygateway.cache.Snapshot;
import dev.comfygateway.upstream.UpstreamFailure;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Reply of {@code claim.lua}.
 *
 * @param redisMillis Redis's clock, in milliseconds
 * @param received arrival of the reply on the cache's ticker
 * @param leaseLeft remaining time of the lease
 * @param id id of the result
 * @param shared the result; {@code null} if there is none
 */
record FleetReply(Status status, long redisMillis, long received, Duration leaseLeft, @Nullable String id,
		@Nullable Shared shared) {

	private static final Duration MAX_AGE = Duration.ofDays(3650);

	/** Outcome of a claim or a read. */
	enum Status {

		/** The result is valid for the claim. */
		SHARED,
		/** This replica has the lease. */
		GRANTED,
		/** Another replica has the lease. */
		HELD,
		/** The result was read without a claim. */
		READ

	}

	/**
	 * Parses a reply. Redis's clock is assumed to have been read when the request was
	 * sent: a reply can be slow, and an answer must not appear younger than it is.
	 * @throws InvalidResultException if the reply is not valid
	 */
	static FleetReply of(List<@Nullable Object> fields, long keyVersion, long sent, long received,
			UnaryOperator<UpstreamFailure> withoutKey) {
		try {
			Status status = Status.valueOf(String.valueOf(fields.get(0)).toUpperCase(Locale.ROOT));
			long redisMillis = (Long) Objects.requireNonNull(fields.get(1));
			Duration leaseLeft = Duration.ofMillis((Long) Objects.requireNonNull(fields.get(2)));
			String answer = (String) fields.get(4);
			Snapshot snapshot = answer == null ? null
					: SnapshotJson.read(answer, keyVersion, sent - age(fields.get(5), redisMillis));
			String failure = (String) fields.get(6);
			Cooldown cooldown = failure == null ? null
					: CooldownJson.read(failure, keyVersion, sent - age(fields.get(7), redisMillis),
							sent + cooldownLeft(fields.get(8), redisMillis), withoutKey);
			Shared shared = shared(snapshot, cooldown);
			if (status == Status.SHARED && shared == null) {
				throw new InvalidResultException();
			}
			return new FleetReply(status, redisMillis, received, leaseLeft, (String) fields.get(3), shared);
		}
		catch (ArithmeticException | ClassCastException | IllegalArgumentException | IndexOutOfBoundsException
				| NullPointerException ignored) {
			throw new InvalidResultException();
		}
	}

	private static @Nullable Shared shared(@Nullable Snapshot snapshot, @Nullable Cooldown cooldown) {
		if (cooldown != null) {
			return new Shared(cooldown, snapshot);
		}
		return snapshot == null ? null : new Shared(snapshot, null);
	}

	/** Returns the age in nanoseconds; zero for a time in the future. */
	private static long age(@Nullable Object at, long redisMillis) {
		Duration age = Duration.ofMillis(Math.max(0, redisMillis - millis(at)));
		if (age.compareTo(MAX_AGE) > 0) {
			throw new InvalidResultException();
		}
		return age.toNanos();
	}

	/** Returns the remaining time of a cool-down in nanoseconds. */
	private static long cooldownLeft(@Nullable Object end, long redisMillis) {
		return TimeUnit.MILLISECONDS
			.toNanos(Math.clamp(millis(end) - redisMillis, 0, FleetTimes.MAX_COOLDOWN.toMillis()));
	}

	private static long millis(@Nullable Object field) {
		return Long.parseLong(String.valueOf(field));
	}

}
