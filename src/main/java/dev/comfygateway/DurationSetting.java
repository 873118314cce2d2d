package dev.comfygateway;

import java.time.Duration;

/** Validation and formatting of settings that are durations. */
public final class DurationSetting {

	private DurationSetting() {
	}

	/**
	 * Checks that a duration is within its bounds, both inclusive.
	 * @throws InvalidSettingException if it is out of bounds
	 */
	public static void requireBetween(String setting, Duration value, Duration min, Duration max) {
		if (value.compareTo(min) < 0 || value.compareTo(max) > 0) {
			throw new InvalidSettingException(setting, "is %s, which is out of bounds".formatted(text(value)),
					"Set it to a duration from %s to %s.".formatted(text(min), text(max)));
		}
	}

	/** Formats a duration as in a setting, such as {@code 2s} or {@code 500ms}. */
	public static String text(Duration duration) {
		if (duration.toMillisPart() == 0) {
			return duration.toSeconds() + "s";
		}
		// toMillis() overflows for very large values
		return duration.abs().compareTo(Duration.ofDays(1)) > 0 ? duration.toString() : duration.toMillis() + "ms";
	}

}
