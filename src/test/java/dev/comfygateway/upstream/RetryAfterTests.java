package dev.comfygateway.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.http.HttpHeaders;

class RetryAfterTests {

	private static final Instant NOW = Instant.parse("1994-11-06T08:49:07Z");

	private static final Duration MAX = Duration.ofMinutes(5);

	@Test
	void parseWhenAbsentIsNull() {
		assertThat(RetryAfter.parse(new HttpHeaders(), NOW, MAX)).isNull();
	}

	@Test
	void parseWhenSecondsReturnsThem() {
		assertThat(parse("7")).isEqualTo(Duration.ofSeconds(7));
	}

	@Test
	void parseWhenZeroReturnsZero() {
		assertThat(parse("0")).isEqualTo(Duration.ZERO);
	}

	@Test
	void parseWhenSurroundedByWhitespaceReturnsSeconds() {
		assertThat(parse(" 7\t")).isEqualTo(Duration.ofSeconds(7));
	}

	@ParameterizedTest
	@ValueSource(strings = { "301", "86400", "9999999999", "999999999999999999999999999999999999" })
	void parseWhenSecondsBeyondBoundReturnsBound(String value) {
		assertThat(parse(value)).isEqualTo(MAX);
	}

	@ParameterizedTest
	@ValueSource(
			strings = { "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
					"Mon, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Nov 1994 08:49:37" })
	void parseWhenDateReturnsTimeUntilThen(String value) {
		assertThat(parse(value)).isEqualTo(Duration.ofSeconds(30));
	}

	@Test
	void parseWhenDayOfAsctimeFormatHasTwoDigitsReturnsTimeUntilThen() {
		assertThat(parse("Wed Nov 16 08:49:37 1994", Instant.parse("1994-11-16T08:49:07Z")))
			.isEqualTo(Duration.ofSeconds(30));
	}

	@Test
	void parseWhenYearOfTwoDigitsIsOfLastCenturyReturnsZero() {
		assertThat(parse("Sunday, 06-Nov-94 08:49:37 GMT", Instant.parse("2026-03-01T12:00:00Z")))
			.isEqualTo(Duration.ZERO);
	}

	@Test
	void parseWhenDateHasPassedReturnsZero() {
		assertThat(parse("Sun, 06 Nov 1994 08:49:06 GMT")).isEqualTo(Duration.ZERO);
	}

	@Test
	void parseWhenDateIsFarAwayReturnsBound() {
		assertThat(parse("Fri, 06 Nov 2093 08:49:37 GMT")).isEqualTo(MAX);
	}

	@ParameterizedTest
	@ValueSource(strings = { "", " ", "-7", "+7", "7.5", "7s", "soon", "0x10", "٣", "1e3", "1, 2", "7 8",
			"Sun, 36 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z", "Wed, 30 Feb 1994 08:49:37 GMT" })
	void parseWhenInvalidIsNull(String value) {
		assertThat(parse(value)).isNull();
	}

	private static @Nullable Duration parse(String value) {
		return parse(value, NOW);
	}

	private static @Nullable Duration parse(String value, Instant now) {
		HttpHeaders headers = new HttpHeaders();
		headers.add(HttpHeaders.RETRY_AFTER, value);
		return RetryAfter.parse(headers, now, MAX);
	}

}
