package dev.comfygateway.upstream;

/**
 * What asking the upstream came to: an answer that follows the contract, or a failure.
 */
public sealed interface UpstreamOutcome permits UpstreamOutcome.Answered, UpstreamFailure {

	/**
	 * Generation of the key that it was asked with; an outcome of another generation is
	 * void.
	 */
	long keyGeneration();

	/**
	 * Answer that follows the contract.
	 *
	 * @param promptInfo the answer
	 * @param keyGeneration generation of the key that was sent
	 */
	record Answered(PromptInfo promptInfo, long keyGeneration) implements UpstreamOutcome {
	}

}
