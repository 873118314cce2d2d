package dev.comfygateway.upstream;

/**
 * What asking the upstream came to: an answer that follows the contract, or a failure.
 */
public sealed interface UpstreamOutcome permits UpstreamOutcome.Answered, UpstreamFailure {

	/**
	 * Version of the key that it was asked with; an outcome of another version is void.
	 */
	long keyVersion();

	/**
	 * Answer that follows the contract.
	 *
	 * @param promptInfo the answer
	 * @param keyVersion version of the key that was sent
	 */
	record Answered(PromptInfo promptInfo, long keyVersion) implements UpstreamOutcome {
	}

}
