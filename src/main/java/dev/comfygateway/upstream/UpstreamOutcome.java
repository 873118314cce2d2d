package dev.comfygateway.upstream;

import java.time.Duration;

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
	 * @param age age that the upstream gave it ({@code Age}); zero where it gave none
	 * @param deprecated whether the upstream announced the end of this API by
	 * {@code Deprecation} or {@code Sunset}
	 * @param keyVersion version of the key that was sent
	 */
	record Answered(PromptInfo promptInfo, Duration age, boolean deprecated,
			long keyVersion) implements UpstreamOutcome {

		/**
		 * Creates an answer without {@code Age}, {@code Deprecation} and {@code Sunset}.
		 */
		public Answered(PromptInfo promptInfo, long keyVersion) {
			this(promptInfo, Duration.ZERO, false, keyVersion);
		}
	}

}
