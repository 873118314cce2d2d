package dev.comfygateway.upstream;

import java.time.Duration;
import org.springframework.http.HttpHeaders;

/** Reader of {@code Age} (RFC 9111 section 5.1): whole seconds. */
final class Age {

	/** More digits than these are beyond the life of any answer. */
	private static final int MAX_DIGITS = 9;

	private Age() {
	}

	/** Age of an answer; zero if the header is absent or invalid. */
	static Duration parse(HttpHeaders headers) {
		String value = headers.getFirst(HttpHeaders.AGE);
		String digits = value == null ? "" : value.strip();
		if (digits.isEmpty() || !digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
			return Duration.ZERO;
		}
		return Duration.ofSeconds(digits.length() > MAX_DIGITS ? 999_999_999 : Long.parseLong(digits));
	}

}
