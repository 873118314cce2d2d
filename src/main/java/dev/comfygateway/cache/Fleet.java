package dev.comfygateway.cache;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * Replicas with the same key, of which one at a time fetches for all. Nothing here ever
 * fails: a replica that cannot reach the others fetches by itself.
 */
public interface Fleet {

	/**
	 * Claims the next fetch for this replica. Never blocks. The future completes soon
	 * after another replica's fetch must have ended, exceptionally only by a bug.
	 * @param newBelowNanos time since arrival, in nanoseconds, below which an answer of
	 * another replica serves instead
	 * @param background whether no caller waits, so that it may take longer to reach the
	 * others
	 */
	CompletableFuture<Claim> claim(long newBelowNanos, boolean background);

	/** A caller now waits for the background claim, which must take less time. */
	void promote();

	/** Sets the listener of results of other replicas. */
	void onResult(Consumer<SharedResult> listener);

	/**
	 * Whether the replicas reach each other: {@code ok}, or the reason why not; absent
	 * where there is no fleet.
	 */
	Optional<String> state();

	/** What became of a claim. */
	sealed interface Claim {

		/**
		 * This replica fetches.
		 *
		 * @param lease right to fetch, which keeps the other replicas waiting
		 */
		record Granted(Lease lease) implements Claim {
		}

		/** Another replica has fetched, or the upstream is left alone by all. */
		record Shared(SharedResult result) implements Claim {
		}

	}

	/**
	 * Right to fetch, until a result is published or the lease is released. Never blocks.
	 */
	interface Lease {

		/** Publishes the result for the other replicas. */
		void publish(SharedResult result);

		/** Gives the lease back without a result; does nothing after a publication. */
		void release();

	}

}
