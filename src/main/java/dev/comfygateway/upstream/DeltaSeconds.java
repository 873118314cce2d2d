package dev.comfygateway.upstream;

import java.util.OptionalLong;

/** Parser of HTTP's {@code delta-seconds} (RFC 9111 section 1.2.2). */
public final class DeltaSeconds {

	private DeltaSeconds() {
	}

	/**
	 * Parses a number of seconds and ignores surrounding spaces. Returns
	 * {@link Long#MAX_VALUE} for a larger number, and an empty result for any other text.
	 */
	public static OptionalLong parse(String text) {
		String digits = text.strip();
		if (digits.isEmpty() || !digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
			return OptionalLong.empty();
		}
		try {
			return OptionalLong.of(Long.parseLong(digits));
		}
		catch (NumberFormatException ignored) {
			return OptionalLong.of(Long.MAX_VALUE);
		}
	}

}
