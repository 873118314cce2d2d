package dev.comfygateway.upstream;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.format.ResolverStyle;
import java.time.temporal.ChronoField;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;

/** Reader of {@code Retry-After}: seconds, or a date in any of HTTP's three formats. */
final class RetryAfter {

	private static final DateTimeFormatter IMF_FIXDATE = strict(
			new DateTimeFormatterBuilder().appendPattern("EEE, dd MMM uuuu HH:mm:ss 'GMT'"));

	// Its days are padded with a blank, which Spring's own reader does not know
	private static final DateTimeFormatter ASCTIME = strict(
			new DateTimeFormatterBuilder().appendPattern("EEE MMM ppd HH:mm:ss uuuu"));

	private RetryAfter() {
	}

	/**
	 * How long to wait, from 0 to {@code max}; nothing where the header is absent or
	 * invalid.
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
		Instant date = date(value, now);
		return date == null ? null : clamp(Duration.between(now, date), max);
	}

	private static @Nullable Instant date(String value, Instant now) {
		int thisYear = now.atZone(ZoneOffset.UTC).getYear();
		for (DateTimeFormatter format : List.of(IMF_FIXDATE, rfc850(thisYear - 49), ASCTIME)) {
			try {
				return format.parse(value, Instant::from);
			}
			catch (DateTimeException ignored) {
				// another format, perhaps
			}
		}
		return null;
	}

	/**
	 * The format whose years have two digits, which mean the hundred years from this one
	 * on.
	 */
	private static DateTimeFormatter rfc850(int firstYear) {
		return strict(new DateTimeFormatterBuilder().appendPattern("EEEE, dd-MMM-")
			.appendValueReduced(ChronoField.YEAR, 2, 2, firstYear)
			.appendPattern(" HH:mm:ss 'GMT'"));
	}

	private static DateTimeFormatter strict(DateTimeFormatterBuilder format) {
		return format.toFormatter(Locale.US).withResolverStyle(ResolverStyle.STRICT).withZone(ZoneOffset.UTC);
	}

	private static Duration clamp(Duration duration, Duration max) {
		if (duration.isNegative()) {
			return Duration.ZERO;
		}
		return duration.compareTo(max) > 0 ? max : duration;
	}

}
