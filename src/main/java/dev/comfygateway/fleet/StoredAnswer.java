package dev.comfygateway.fleet;

import dev.comfygateway.cache.SharedResult;
import dev.comfygateway.upstream.PromptInfo;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Good answer as JSON in Redis. The time of its arrival is kept beside it, on Redis's
 * clock.
 *
 * @param promptInfo the contract's value
 * @param ageOnArrival age that the upstream gave it, in milliseconds
 * @param deprecated whether the upstream announced the end of its API
 * @param took time of its fetch, in milliseconds
 * @param arrivedAt arrival in milliseconds since 1970, on the clock of the replica that
 * fetched it
 */
record StoredAnswer(PromptInfo promptInfo, long ageOnArrival, boolean deprecated, long took, long arrivedAt) {

	/** Of an {@code Age}, in milliseconds. */
	private static final long MAX_AGE = 999_999_999_000L;

	/** Of a fetch, in milliseconds. */
	private static final long MAX_TOOK = 120_000;

	/** The end of the year 9999. */
	private static final long MAX_TIME = 253_402_300_799_999L;

	private static final Duration MAX_SINCE_ARRIVAL = Duration.ofDays(3650);

	private static final JsonMapper json = new JsonMapper();

	static String write(SharedResult.Answer answer) {
		return json.writeValueAsString(new StoredAnswer(answer.promptInfo(), answer.ageOnArrival().toMillis(),
				answer.deprecated(), answer.took().toMillis(), answer.arrivedAt().toEpochMilli()));
	}

	/**
	 * Reads an answer.
	 * @param sinceArrival time since its arrival
	 * @throws InvalidResultException where it is none
	 */
	static SharedResult.Answer read(String text, Duration sinceArrival) {
		try {
			@Nullable StoredAnswer stored = json.readValue(text, StoredAnswer.class);
			if (stored != null && isValid(stored.promptInfo) && stored.ageOnArrival >= 0
					&& stored.ageOnArrival <= MAX_AGE && stored.took >= 0 && stored.took <= MAX_TOOK
					&& stored.arrivedAt >= 0 && stored.arrivedAt <= MAX_TIME
					&& sinceArrival.compareTo(MAX_SINCE_ARRIVAL) <= 0) {
				return new SharedResult.Answer(stored.promptInfo, Duration.ofMillis(stored.ageOnArrival),
						stored.deprecated, Duration.ofMillis(stored.took), Instant.ofEpochMilli(stored.arrivedAt),
						sinceArrival);
			}
		}
		catch (JacksonException ignored) {
			// told below
		}
		throw new InvalidResultException();
	}

	private static boolean isValid(@Nullable PromptInfo promptInfo) {
		Long remaining = promptInfo == null ? null : promptInfo.remaining();
		return promptInfo != null && (remaining == null || remaining >= 0);
	}

}
