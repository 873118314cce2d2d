package dev.comfygateway.cache;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Replicas with the same key. One replica at a time fetches for all of them. No method
 * fails if the other replicas cannot be reached: this replica then fetches by itself.
 */
public interface Fleet {

	/**
	 * Claims the next fetch for this replica. Never blocks. The future completes within a
	 * limited time, even if the fetch of another replica hangs. It completes
	 * exceptionally only after an unexpected exception.
	 * @param maxSinceArrivalNanos time since arrival, in nanoseconds, below which an
	 * answer from another replica is used instead
	 * @param background whether no caller waits, so that the claim may take longer
	 */
	CompletableFuture<Claim> claim(long maxSinceArrivalNanos, boolean background);

	/** Promotes the background claim: a caller now waits for it. */
	void promote();

	/** Sets the receiver of other replicas' results. */
	void onResult(Consumer<Claim.Shared> receiver);

	/**
	 * Returns {@code ok} if the other replicas can be reached, otherwise the reason why
	 * not; empty if there is no fleet.
	 */
	Optional<String> state();

	/** Outcome of a claim. */
	sealed interface Claim {

		/**
		 * This replica fetches.
		 *
		 * @param lease the right to fetch
		 */
		record Granted(Lease lease) implements Claim {

			/** Grant if no other replica can be reached. Its lease does nothing. */
			public static final Granted ALONE = new Granted(new Lease() {
				@Override
				public void publish(FetchResult result) {
					// There are no other replicas
				}

				@Override
				public void release() {
					// There is no lease
				}
			});

		}

		/**
		 * Another replica has fetched.
		 *
		 * @param result the last result of the other replica
		 * @param lastGood the last good answer, if the result is a failure that does not
		 * invalidate it; null otherwise
		 */
		record Shared(FetchResult result, @Nullable Snapshot lastGood) implements Claim {
		}

	}

	/**
	 * Exclusive right to fetch, until a result is published or the lease is released.
	 * Until then the other replicas wait. No method blocks.
	 */
	interface Lease {

		/** Publishes the result to the other replicas. */
		void publish(FetchResult result);

		/** Releases the lease without a result. Does nothing after a publication. */
		void release();

	}

}
