package dev.comfygateway.cache;

import org.jspecify.annotations.Nullable;

/** Result of a fetch: a new answer, or a cool-down. */
sealed interface FetchResult {

	/**
	 * New answer.
	 *
	 * @param snapshot the answer
	 * @param shared whether another replica fetched it
	 */
	record Success(Snapshot snapshot, boolean shared) implements FetchResult {
	}

	/** Failure, and the cool-down after it. */
	record Failure(Cooldown pause) implements FetchResult {
	}

	/** Cool-down after this result; absent after a success. */
	default @Nullable Cooldown cooldown() {
		return this instanceof Failure(Cooldown pause) ? pause : null;
	}

	/** Version of the key that was sent. */
	default long keyVersion() {
		return switch (this) {
			case Success(Snapshot snapshot, boolean ignored) -> snapshot.keyVersion();
			case Failure(Cooldown pause) -> pause.failure().keyVersion();
		};
	}

}
