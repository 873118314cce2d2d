package dev.comfygateway.cache;

/**
 * Result of a fetch: an answer, or a failure with its cool-down. Times are in nanoseconds
 * of the cache's ticker.
 */
public sealed interface FetchResult permits Snapshot, Cooldown {

	/** Returns the version of the key that the request was sent with. */
	long keyVersion();

	/** Returns the time of the result. */
	long atNanos();

}
