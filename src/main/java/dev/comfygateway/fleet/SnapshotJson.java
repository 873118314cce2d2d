package dev.comfygateway.fleet;

import dev.comfygateway.cache.Snapshot;
import dev.comfygateway.upstream.Deprecation;
import dev.comfygateway.upstream.PromptInfo;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * JSON form of a snapshot in Redis. Its arrival, on Redis's clock, is a separate field of
 * the hash. Times are in milliseconds.
 *
 * @param ageOnArrival age that the upstream reported
 * @param deprecation announcement that the upstream's API is deprecated; {@code null} if
 * there is none
 * @param took duration of its fetch
 * @param arrivedAt arrival since the epoch, on the clock of the replica that fetched it
 */
record SnapshotJson(PromptInfo promptInfo, long ageOnArrival, @Nullable Deprecation deprecation, long took,
		long arrivedAt) {

	private static final long MAX_AGE_ON_ARRIVAL = 999_999_999_000L;

	private static final long MAX_FETCH_TIME = 120_000;

	/** End of the year 9999. */
	private static final long MAX_TIME = 253_402_300_799_999L;

	private static final JsonMapper json = new JsonMapper();

	static String write(Snapshot snapshot) {
		return json.writeValueAsString(
				new SnapshotJson(snapshot.promptInfo(), snapshot.ageOnArrival().toMillis(), snapshot.deprecation(),
						TimeUnit.NANOSECONDS.toMillis(snapshot.arrivedNanos() - snapshot.requestedNanos()),
						snapshot.arrivedAt().toEpochMilli()));
	}

	/**
	 * Reads a snapshot.
	 * @param arrivedNanos its arrival on the cache's ticker
	 * @throws InvalidResultException if the text is not a snapshot
	 */
	static Snapshot read(String text, long keyVersion, long arrivedNanos) {
		try {
			@Nullable SnapshotJson stored = json.readValue(text, SnapshotJson.class);
			if (stored != null && isValid(stored.promptInfo) && isBetween0And(MAX_AGE_ON_ARRIVAL, stored.ageOnArrival)
					&& isBetween0And(MAX_FETCH_TIME, stored.took) && isBetween0And(MAX_TIME, stored.arrivedAt)) {
				return new Snapshot(stored.promptInfo, Duration.ofMillis(stored.ageOnArrival), stored.deprecation,
						arrivedNanos - Duration.ofMillis(stored.took).toNanos(), arrivedNanos,
						Instant.ofEpochMilli(stored.arrivedAt), keyVersion);
			}
		}
		catch (JacksonException ignored) {
			// Reported below
		}
		throw new InvalidResultException();
	}

	private static boolean isValid(@Nullable PromptInfo promptInfo) {
		Long remaining = promptInfo == null ? null : promptInfo.remaining();
		return promptInfo != null && (remaining == null || remaining >= 0);
	}

	private static boolean isBetween0And(long max, long value) {
		return value >= 0 && value <= max;
	}

}
