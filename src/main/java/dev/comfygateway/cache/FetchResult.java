package dev.comfygateway.cache;

/**
 * Result of a fetch: an answer, or a failure with its cool-down. Times are in nanoseconds
 * of the cache's ticker.
 */
public sealed interface FetchResult permits FetchResult.Success, Cooldown {

	/** Version of the key that was sent. */
	long keyVersion();

	/** Time of the result. */
	long at();

	/**
	 * New answer.
	 *
	 * @param snapshot the answer
	 * @param shared whether another replica fetched it
	 */
	record Success(Snapshot snapshot, boolean shared) implements FetchResult {

		@Override
		public long keyVersion() {
			return snapshot.keyVersion();
		}

		@Override
		public long at() {
			return snapshot.arrivedNanos();
		}

	}

}
