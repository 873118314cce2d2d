package dev.comfygateway.upstream;

import java.time.Instant;
import org.eclipse.jetty.http.HttpDateTime;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;

/**
 * Announced end of the upstream's API, by {@code Deprecation} (RFC 9745) or
 * {@code Sunset} (RFC 8594).
 *
 * @param deprecated whether the response has a {@code Deprecation} header
 * @param since date of {@code Deprecation}; null if it has no valid date
 * @param sunset date of {@code Sunset}, after which the API can be removed; null if there
 * is no valid date
 */
public record Deprecation(boolean deprecated, @Nullable Instant since, @Nullable Instant sunset) {

	private static final String DEPRECATION = "Deprecation";

	private static final String SUNSET = "Sunset";

	/** Maximum number of digits of a date in seconds, up to the year 5138. */
	private static final int MAX_DIGITS = 11;

	/** Parses the two headers; returns null if neither is present. */
	static @Nullable Deprecation parse(HttpHeaders headers) {
		String deprecation = headers.getFirst(DEPRECATION);
		String sunset = headers.getFirst(SUNSET);
		return deprecation == null && sunset == null ? null
				: new Deprecation(deprecation != null, date(deprecation), date(sunset));
	}

	/**
	 * Parses an HTTP date, or a date of structured fields such as {@code @1688169599}.
	 */
	private static @Nullable Instant date(@Nullable String value) {
		if (value == null) {
			return null;
		}
		String text = value.strip();
		if (text.matches("@\\d{1,%s}".formatted(MAX_DIGITS))) {
			return Instant.ofEpochSecond(Long.parseLong(text.substring(1)));
		}
		try {
			return HttpDateTime.parse(text).toInstant();
		}
		catch (IllegalArgumentException ignored) {
			return null;
		}
	}

	/** Returns the announcement as text for operators. */
	@Override
	public String toString() {
		String end = sunset == null ? "no valid Sunset date" : "Sunset " + sunset;
		return deprecated ? DEPRECATION + (since == null ? "" : " " + since) + ", " + end : end;
	}

}
