package dev.comfygateway.upstream;

/** Result of an upstream request. */
public sealed interface UpstreamOutcome permits UpstreamAnswer, UpstreamFailure {

	/**
	 * Version of the key that was sent; a result of another version is void.
	 */
	long keyVersion();

}
