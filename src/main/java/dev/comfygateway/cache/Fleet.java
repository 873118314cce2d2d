package dev.comfygateway.cache;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * Replicas with the same key, of which one at a time fetches for all. Nothing here ever
 * fails: a replica that cannot reach the others fetches by itself.
 */
public interface Fleet extends AutoCloseable {

	/**
	 * Claims the next fetch for this replica. Never blocks. The future completes soon
	 * after another replica's fetch must have ended, exceptionally only by a bug.
	 * @param maxAgeNanos age in nanoseconds below which an answer of another replica
	 * serves instead
	 * @param background whether no caller waits, so that it may take longer to reach the
	 * others
	 */
	CompletableFuture<Claim> claim(long maxAgeNanos, boolean background);

	/** Ends the patience of a claim that no caller waited for: now one does. */
	void hurry();

	/** Has results of other replicas reported, whenever they become known. */
	void onResult(Consumer<SharedResult> listener);

	/**
	 * Whether the replicas reach each other: {@code ok}, or the reason why not; absent
	 * where there is no fleet.
	 */
	Optional<String> state();

	@Override
	void close();

	/** What became of a claim. */
	sealed interface Claim {

		/**
		 * This replica fetches.
		 *
		 * @param publication receives the result, for the other replicas; never blocks
		 */
		record Granted(Consumer<SharedResult> publication) implements Claim {
		}

		/** Another replica has fetched, or the upstream is left alone by all. */
		record Shared(SharedResult result) implements Claim {
		}

	}

}
