package dev.comfygateway.upstream;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Answer of the upstream that follows the contract.
 *
 * @param promptInfo the answer
 * @param age the upstream's {@code Age}; zero if it sent none
 * @param deprecation announced end of the upstream's API; null if none is announced
 * @param keyVersion version of the key that the request was sent with
 */
public record UpstreamAnswer(PromptInfo promptInfo, Duration age, @Nullable Deprecation deprecation,
		long keyVersion) implements UpstreamOutcome {

	/** Creates an answer without {@code Age}, {@code Deprecation} and {@code Sunset}. */
	public UpstreamAnswer(PromptInfo promptInfo, long keyVersion) {
		this(promptInfo, Duration.ZERO, null, keyVersion);
	}

}
