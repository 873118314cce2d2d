package dev.comfygateway.upstream;

import java.util.OptionalLong;

/** Reader of HTTP's {@code delta-seconds} (RFC 9111 section 1.2.2). */
public final class DeltaSeconds {

	private DeltaSeconds() {
	}

	/**
	 * Reads a number of seconds, which may have blanks around it. A number beyond
	 * {@link Long#MAX_VALUE} is that. Empty if the text is no number.
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
