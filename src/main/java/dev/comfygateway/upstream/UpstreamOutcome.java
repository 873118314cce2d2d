package dev.comfygateway.upstream;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Result of an upstream request: an answer that follows the contract, or a failure.
 */
public sealed interface UpstreamOutcome permits UpstreamOutcome.Answered, UpstreamFailure {

	/**
	 * Version of the key that was sent; a result of another version is void.
	 */
	long keyVersion();

	/**
	 * Answer that follows the contract.
	 *
	 * @param promptInfo the answer
	 * @param age age that the upstream gave it ({@code Age}); zero if it gave none
	 * @param deprecation announcement of the end of this API; absent without one
	 * @param keyVersion version of the key that was sent
	 */
	record Answered(PromptInfo promptInfo, Duration age, @Nullable Deprecation deprecation,
			long keyVersion) implements UpstreamOutcome {

		/**
		 * Creates an answer without {@code Age}, {@code Deprecation} and {@code Sunset}.
		 */
		public Answered(PromptInfo promptInfo, long keyVersion) {
			this(promptInfo, Duration.ZERO, null, keyVersion);
		}
	}

}
