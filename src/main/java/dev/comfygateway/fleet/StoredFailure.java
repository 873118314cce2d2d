package dev.comfygateway.fleet;

import dev.comfygateway.cache.SharedResult;
import dev.comfygateway.upstream.UpstreamFailure;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Failure as JSON in Redis. Its time and the end of the cool-down are kept beside it, on
 * Redis's clock. Times are in milliseconds.
 *
 * @param interval the cool-down's length before jitter
 * @param keyRefused whether the key was refused, by this failure or by an earlier one in
 * a row
 * @param failures failures in a row
 * @param lasting time from the first of them to this one
 */
record StoredFailure(UpstreamFailure.Reason reason, int status, @Nullable String code, @Nullable String message,
		@Nullable Long retryAfter, boolean endsAnswer, long interval, boolean keyRefused, int failures, long lasting) {

	private static final Duration MAX_INTERVAL = Duration.ofMinutes(15);

	private static final Duration MAX_LASTING = Duration.ofDays(3650);

	private static final JsonMapper json = new JsonMapper();

	static String write(SharedResult.Failure shared) {
		UpstreamFailure failure = shared.failure();
		Duration retryAfter = failure.retryAfter();
		return json.writeValueAsString(new StoredFailure(failure.reason(), failure.status(), failure.code(),
				failure.message(), retryAfter == null ? null : retryAfter.toMillis(), shared.endsAnswer(),
				shared.interval().toMillis(), shared.keyRefused(), shared.failures(), shared.sinceFirst().toMillis()));
	}

	/**
	 * Reads a failure.
	 * @param age time since the failure
	 * @param left what is left of the cool-down
	 * @throws InvalidResultException where it is none
	 */
	static SharedResult.Failure read(String text, long keyVersion, Duration age, Duration left) {
		try {
			@Nullable StoredFailure stored = json.readValue(text, StoredFailure.class);
			if (stored == null || !stored.isValid()) {
				throw new InvalidResultException();
			}
			return new SharedResult.Failure(
					new UpstreamFailure(stored.reason, stored.status, stored.code, stored.message,
							stored.retryAfter == null ? null : Duration.ofMillis(stored.retryAfter), keyVersion),
					stored.endsAnswer, Duration.ofMillis(stored.interval), left, stored.keyRefused, stored.failures,
					Duration.ofMillis(stored.lasting).plus(age));
		}
		catch (JacksonException | IllegalArgumentException ignored) {
			throw new InvalidResultException();
		}
	}

	/** Whether it can have been written: everything here is shown to callers. */
	private boolean isValid() {
		return reason != null && hasStatusOfReason() && isBetween(1, interval, MAX_INTERVAL) && failures > 0
				&& isBetween(0, lasting, MAX_LASTING) && (retryAfter == null || isBetween(0, retryAfter, MAX_INTERVAL));
	}

	private boolean hasStatusOfReason() {
		return reason == UpstreamFailure.Reason.UNAVAILABLE ? status >= 502 && status <= 504
				: status == 0 || (status >= 100 && status <= 999);
	}

	private static boolean isBetween(long min, long millis, Duration max) {
		return millis >= min && millis <= max.toMillis();
	}

}
