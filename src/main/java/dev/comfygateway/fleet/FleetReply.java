package dev.comfygateway.fleet;

import dev.comfygateway.cache.FetchResult;
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
 * @param redisMillis time of Redis's clock, in milliseconds
 * @param received arrival of the reply on the cache's ticker
 * @param leaseLeft time left of the lease
 * @param id id of the result
 * @param shared the result; absent where there is none
 */
record FleetReply(Status status, long redisMillis, long received, Duration leaseLeft, @Nullable String id,
		@Nullable Shared shared) {

	/** Outcome of a claim or a read. */
	enum Status {

		/** The result serves. */
		SHARED,
		/** This replica has the lease. */
		GRANTED,
		/** Another replica has the lease. */
		HELD,
		/** It was only read. */
		READ

	}

	/**
	 * Reads a reply.
	 * @throws InvalidResultException where it holds something else than a result
	 */
	static FleetReply of(List<@Nullable Object> fields, long keyVersion, long sent, long received,
			UnaryOperator<UpstreamFailure> withoutKey) {
		try {
			long redisMillis = (Long) Objects.requireNonNull(fields.get(1));
			Status status = Status.valueOf(String.valueOf(fields.get(0)).toUpperCase(Locale.ROOT));
			Shared shared = new ResultReader(redisMillis, sent, keyVersion, withoutKey).read(fields);
			if (status == Status.SHARED && shared == null) {
				throw new InvalidResultException();
			}
			return new FleetReply(status, redisMillis, received,
					Duration.ofMillis((Long) Objects.requireNonNull(fields.get(2))), (String) fields.get(3), shared);
		}
		catch (ArithmeticException | ClassCastException | IllegalArgumentException | IndexOutOfBoundsException
				| NullPointerException ignored) {
			throw new InvalidResultException();
		}
	}

	/**
	 * Reader of the result. It takes Redis's clock to be read when the request was sent:
	 * a reply can be slow, and no answer may look younger than it is.
	 */
	private record ResultReader(long redisMillis, long sent, long keyVersion,
			UnaryOperator<UpstreamFailure> withoutKey) {

		private static final Duration MAX_AGE = Duration.ofDays(3650);

		/** Longer than any cool-down, and shorter than a step of a wrong clock. */
		private static final Duration MAX_COOLDOWN = Duration.ofMinutes(20);

		@Nullable Shared read(List<@Nullable Object> fields) {
			String answer = (String) fields.get(4);
			String failure = (String) fields.get(6);
			Snapshot snapshot = answer == null ? null : SnapshotJson.read(answer, keyVersion, past(fields.get(5)));
			if (failure == null) {
				return snapshot == null ? null : new Shared(new FetchResult.Success(snapshot, true), null);
			}
			long left = Math.clamp(millis(fields.get(8)) - redisMillis, 0, MAX_COOLDOWN.toMillis());
			long until = sent + TimeUnit.MILLISECONDS.toNanos(left);
			return new Shared(CooldownJson.read(failure, keyVersion, past(fields.get(7)), until, withoutKey), snapshot);
		}

		/** Time on the cache's ticker; now, where it lies in the future. */
		private long past(@Nullable Object at) {
			Duration age = Duration.ofMillis(Math.max(0, redisMillis - millis(at)));
			if (age.compareTo(MAX_AGE) > 0) {
				throw new InvalidResultException();
			}
			return sent - age.toNanos();
		}

		private static long millis(@Nullable Object field) {
			return Long.parseLong(String.valueOf(field));
		}

	}

}
