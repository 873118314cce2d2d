package dev.comfygateway.upstream;

import java.time.Duration;
import java.time.Instant;
import java.util.OptionalLong;
import org.eclipse.jetty.http.HttpDateTime;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;

/** Parser of {@code Retry-After}: seconds, or a date in any of HTTP's three formats. */
final class RetryAfter {

	private RetryAfter() {
	}

	/**
	 * Returns the pause that the upstream requests, from 0 to {@code max}; null if the
	 * header is absent or invalid.
	 */
	static @Nullable Duration parse(HttpHeaders headers, Instant now, Duration max) {
		String value = headers.getFirst(HttpHeaders.RETRY_AFTER);
		if (value == null) {
			return null;
		}
		OptionalLong seconds = DeltaSeconds.parse(value);
		if (seconds.isPresent()) {
			return clamp(Duration.ofSeconds(seconds.getAsLong()), max);
		}
		try {
			return clamp(Duration.between(now, HttpDateTime.parse(value.strip())), max);
		}
		catch (IllegalArgumentException ignored) {
			return null;
		}
	}

	private static Duration clamp(Duration duration, Duration max) {
		if (duration.isNegative()) {
			return Duration.ZERO;
		}
		return duration.compareTo(max) > 0 ? max : duration;
	}

}
