package dev.comfygateway.fleet;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.comfygateway.GatewayProperties;
import dev.comfygateway.cache.Cooldown;
import dev.comfygateway.upstream.UpstreamFailure;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * JSON form of a cool-down in Redis. The time of its failure and its end, on Redis's
 * clock, are separate fields of the hash. Times are in milliseconds.
 *
 * @param interval length of the cool-down before jitter
 * @param keyRefused whether the key was refused by this failure or by an earlier
 * consecutive one
 * @param failures number of consecutive failures
 * @param outageDuration time from the first consecutive failure to this one
 */
record CooldownJson(UpstreamFailure.Reason reason, int status, @Nullable String code, @Nullable String message,
		@Nullable Long retryAfter, @Nullable String detail, long interval, boolean keyRefused, int failures,
		@JsonProperty("lasting") long outageDuration) {

	private static final Duration MAX_OUTAGE_DURATION = Duration.ofDays(3650);

	private static final JsonMapper json = new JsonMapper();

	static String write(Cooldown cooldown) {
		UpstreamFailure failure = cooldown.failure();
		Duration retryAfter = failure.retryAfter();
		return json.writeValueAsString(new CooldownJson(failure.reason(), failure.status(), failure.code(),
				failure.message(), retryAfter == null ? null : retryAfter.toMillis(), failure.detail(),
				cooldown.interval().toMillis(), cooldown.keyRefused(), cooldown.failures(),
				TimeUnit.NANOSECONDS.toMillis(cooldown.atNanos() - cooldown.firstFailureNanos())));
	}

	/**
	 * Reads a cool-down.
	 * @param atNanos time of its failure on the cache's ticker
	 * @param untilNanos its end on the cache's ticker
	 * @param withoutKey removes the key from texts, which another program may have stored
	 * @throws InvalidResultException if the text is not a cool-down
	 */
	static Cooldown read(String text, long keyVersion, long atNanos, long untilNanos,
			UnaryOperator<UpstreamFailure> withoutKey) {
		try {
			@Nullable CooldownJson stored = json.readValue(text, CooldownJson.class);
			if (stored == null || !stored.isValid()) {
				throw new InvalidResultException();
			}
			UpstreamFailure failure = new UpstreamFailure(stored.reason, stored.status, stored.code, stored.message,
					stored.retryAfter == null ? null : Duration.ofMillis(stored.retryAfter), stored.detail, keyVersion);
			return new Cooldown(withoutKey.apply(failure), atNanos, Duration.ofMillis(stored.interval), untilNanos,
					stored.keyRefused, atNanos - Duration.ofMillis(stored.outageDuration).toNanos(), stored.failures);
		}
		catch (JacksonException | IllegalArgumentException ignored) {
			throw new InvalidResultException();
		}
	}

	/**
	 * Returns whether the values are valid. Another program may have stored them, and
	 * callers receive them.
	 */
	private boolean isValid() {
		return reason != null && hasStatusOfReason() && isBetween(1, interval, GatewayProperties.MAX_COOLDOWN)
				&& failures > 0 && isBetween(0, outageDuration, MAX_OUTAGE_DURATION)
				&& (retryAfter == null || isBetween(0, retryAfter, GatewayProperties.MAX_COOLDOWN));
	}

	private boolean hasStatusOfReason() {
		return reason == UpstreamFailure.Reason.UNAVAILABLE ? status >= 502 && status <= 504
				: status == 0 || (status >= 100 && status <= 999);
	}

	private static boolean isBetween(long min, long millis, Duration max) {
		return millis >= min && millis <= max.toMillis();
	}

}
