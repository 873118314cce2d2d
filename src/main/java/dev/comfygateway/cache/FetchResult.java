package dev.comfygateway.cache;

/**
 * Result of a fetch: an answer, or a failure with its cool-down. Times are in nanoseconds
 * of the cache's ticker.
 */
public sealed interface FetchResult permits Snapshot, Cooldown {

	/** Version of the key that was sent. */
	long keyVersion();

	/** Time of the result. */
	long at();

}
