package dev.comfygateway.upstream;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Answer of the upstream that follows the contract.
 *
 * @param promptInfo the answer
 * @param age age that the upstream gave it ({@code Age}); zero if it gave none
 * @param deprecation announcement of the end of this API; absent without one
 * @param keyVersion version of the key that was sent
 */
public record UpstreamAnswer(PromptInfo promptInfo, Duration age, @Nullable Deprecation deprecation,
		long keyVersion) implements UpstreamOutcome {

	/** Creates an answer without {@code Age}, {@code Deprecation} and {@code Sunset}. */
	public UpstreamAnswer(PromptInfo promptInfo, long keyVersion) {
		this(promptInfo, Duration.ZERO, null, keyVersion);
	}

}
