package dev.comfygateway.upstream;

/** Outcome of an upstream request. */
public sealed interface UpstreamOutcome permits UpstreamAnswer, UpstreamFailure {

	/**
	 * Returns the version of the key that the request was sent with. An outcome of
	 * another version is discarded.
	 */
	long keyVersion();

}
