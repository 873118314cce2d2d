package dev.comfygateway.upstream;

import java.time.Duration;
import java.time.Instant;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;

import static org.assertj.core.api.Assertions.assertThat;

class RetryAfterFuzzTests {

	private static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");

	private static final Duration MAX = Duration.ofMinutes(5);

	@Property
	void parseWhenArbitraryIsWithinBounds(@ForAll("arbitrary") String value) {
		Duration parsed = parse(value);
		if (parsed != null) {
			assertThat(parsed).isBetween(Duration.ZERO, MAX);
		}
	}

	@Property
	void parseWhenDigitsIsClampedNumber(@ForAll("numbers") String digits) {
		Duration expected = digits.length() > 9 || Long.parseLong(digits) > MAX.toSeconds() ? MAX
				: Duration.ofSeconds(Long.parseLong(digits));
		assertThat(parse(digits)).isEqualTo(expected);
	}

	private static @Nullable Duration parse(String value) {
		HttpHeaders headers = new HttpHeaders();
		headers.add(HttpHeaders.RETRY_AFTER, value);
		return RetryAfter.parse(headers, NOW, MAX);
	}

	@Provide
	Arbitrary<String> numbers() {
		return Arbitraries.oneOf(Arbitraries.longs().between(0, 600).map(String::valueOf),
				Arbitraries.strings().numeric().ofMinLength(1).ofMaxLength(40).filter(s -> !s.startsWith("0")));
	}

	@Provide
	Arbitrary<String> arbitrary() {
		Arbitrary<String> dates = Combinators
			.combine(Arbitraries.of("Sun", "Sunday", "Xxx"), Arbitraries.of(", ", " ", ""),
					Arbitraries.strings().numeric().ofMaxLength(3), Arbitraries.of(" Mar ", "-Mar-", "/"),
					Arbitraries.strings().numeric().ofMaxLength(12),
					Arbitraries.of(" 12:00:00 GMT", " 99:99:99 GMT", ""))
			.as((day, gap, number, month, year, time) -> day + gap + number + month + year + time);
		Arbitrary<String> signed = Arbitraries.longs().map(String::valueOf);
		return Arbitraries.oneOf(Arbitraries.strings().ofMaxLength(60), dates, signed);
	}

}
