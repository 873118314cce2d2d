package dev.comfygateway.upstream;

import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;

/** Reader of {@code Retry-After}: seconds, or a date in any of HTTP's three formats. */
final class RetryAfter {

	private RetryAfter() {
	}

	/**
	 * How long to wait, from 0 to {@code longest}; nothing where the header is absent or
	 * invalid.
	 */
	static @Nullable Duration parse(HttpHeaders headers, Instant now, Duration longest) {
		String value = headers.getFirst(HttpHeaders.RETRY_AFTER);
		if (value == null) {
			return null;
		}
		value = value.strip();
		if (!value.isEmpty() && value.chars().allMatch(c -> c >= '0' && c <= '9')) {
			// More digits than these are beyond any bound
			return clamp(value.length() > 9 ? longest : Duration.ofSeconds(Long.parseLong(value)), longest);
		}
		try {
			ZonedDateTime date = headers.getFirstZonedDateTime(HttpHeaders.RETRY_AFTER);
			return date == null ? null : clamp(Duration.between(now, date.toInstant()), longest);
		}
		catch (IllegalArgumentException ignored) {
			return null;
		}
	}

	private static Duration clamp(Duration duration, Duration longest) {
		if (duration.isNegative()) {
			return Duration.ZERO;
		}
		return duration.compareTo(longest) > 0 ? longest : duration;
	}

}
