package dev.comfygateway.events;

import dev.comfygateway.cache.Snapshot;
import java.util.OptionalLong;

/**
 * Condition that ends a stream.
 *
 * @param queueLength queue length at or below which the stream ends; empty if it has no
 * end
 * @param since ticker time of the request
 */
record Until(OptionalLong queueLength, long since) {

	boolean isPresent() {
		return queueLength.isPresent();
	}

	/**
	 * Returns whether the answer meets the condition, and was observed after the request.
	 */
	boolean isMetBy(Snapshot snapshot) {
		Long remaining = snapshot.promptInfo().remaining();
		return isPresent() && remaining != null && remaining <= queueLength.getAsLong()
				&& snapshot.isObservedSince(since);
	}

}
