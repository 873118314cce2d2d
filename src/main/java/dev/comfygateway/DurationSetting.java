package dev.comfygateway;

import java.time.Duration;

/** Bounds and text of a setting that is a duration. */
public final class DurationSetting {

	private DurationSetting() {
	}

	/**
	 * Checks a duration against its bounds, both included.
	 * @throws InvalidSettingException if it lies outside
	 */
	public static void requireBetween(String setting, Duration value, Duration min, Duration max) {
		if (value.compareTo(min) < 0 || value.compareTo(max) > 0) {
			throw new InvalidSettingException(setting, "is %s, which is out of bounds".formatted(text(value)),
					"Set it to a duration from %s to %s.".formatted(text(min), text(max)));
		}
	}

	/** Duration as operators write it, such as {@code 2s} or {@code 500ms}. */
	public static String text(Duration duration) {
		if (duration.toMillisPart() == 0) {
			return duration.toSeconds() + "s";
		}
		// Larger values overflow in milliseconds
		return duration.abs().compareTo(Duration.ofDays(1)) > 0 ? duration.toString() : duration.toMillis() + "ms";
	}

}
