package dev.comfygateway.upstream;

import java.time.Duration;
import java.time.Instant;
import org.eclipse.jetty.http.HttpDateTime;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;

/** Reader of {@code Retry-After}: seconds, or a date in any of HTTP's three formats. */
final class RetryAfter {

	private RetryAfter() {
	}

	/**
	 * Pause that the upstream requests, from 0 to {@code max}; absent if the header is
	 * absent or invalid.
	 */
	static @Nullable Duration parse(HttpHeaders headers, Instant now, Duration max) {
		String value = headers.getFirst(HttpHeaders.RETRY_AFTER);
		if (value == null) {
			return null;
		}
		value = value.strip();
		if (!value.isEmpty() && value.chars().allMatch(c -> c >= '0' && c <= '9')) {
			// More digits than these are beyond any bound
			return clamp(value.length() > 9 ? max : Duration.ofSeconds(Long.parseLong(value)), max);
		}
		try {
			return clamp(Duration.between(now, HttpDateTime.parse(value)), max);
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
