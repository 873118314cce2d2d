package dev.comfygateway.cache;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Replicas with the same key, of which one at a time fetches for all. No method fails: a
 * replica that cannot reach the others fetches by itself.
 */
public interface Fleet {

	/**
	 * Claims the next fetch for this replica. Never blocks. The future completes soon
	 * after another replica's fetch must have ended, exceptionally only by a bug.
	 * @param newBelowNanos time since arrival, in nanoseconds, below which an answer of
	 * another replica serves
	 * @param background whether no caller waits, so that the claim may take longer
	 */
	CompletableFuture<Claim> claim(long newBelowNanos, boolean background);

	/** A caller now waits for the background claim. */
	void promote();

	/** Sets the receiver of other replicas' results. */
	void onResult(Consumer<Claim.Shared> receiver);

	/**
	 * Whether the replicas reach each other: {@code ok}, or the reason why not; absent if
	 * there is no fleet.
	 */
	Optional<String> state();

	/** Outcome of a claim. */
	sealed interface Claim {

		/**
		 * This replica fetches.
		 *
		 * @param lease right to fetch
		 */
		record Granted(Lease lease) implements Claim {

			/** Grant without a lease: no other replica can be reached. */
			public static final Granted ALONE = new Granted(new Lease() {
				@Override
				public void publish(FetchResult result) {
					// No receiver
				}

				@Override
				public void release() {
					// No lease
				}
			});

		}

		/**
		 * Result of another replica.
		 *
		 * @param result its last result
		 * @param lastGood last good answer, beside a failure that does not end it; absent
		 * otherwise
		 */
		record Shared(FetchResult result, @Nullable Snapshot lastGood) implements Claim {
		}

	}

	/**
	 * Right to fetch, until a result is published or the lease is released. The other
	 * replicas wait meanwhile. Never blocks.
	 */
	interface Lease {

		/** Publishes the result for the other replicas. */
		void publish(FetchResult result);

		/** Releases the lease without a result; does nothing after a publication. */
		void release();

	}

}
