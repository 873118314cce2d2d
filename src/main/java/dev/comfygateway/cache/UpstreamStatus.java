package dev.comfygateway.cache;

import dev.comfygateway.upstream.Deprecation;
import dev.comfygateway.upstream.UpstreamFailure;
import java.time.Instant;
import java.util.Optional;

/**
 * Status of the upstream, derived from the results of fetches.
 *
 * @param observed last good answer, if it may still be served
 * @param up whether the last fetch succeeded; empty before the first fetch with this key
 * @param failure failure of the last fetch; empty after a success
 * @param nextAttemptAt end of the cool-down; empty if there is none
 * @param lastGood last good answer, however old it is
 * @param keyRefused whether the upstream has refused the key and has not accepted it
 * since
 */
public record UpstreamStatus(Optional<Snapshot> observed, Optional<Boolean> up, Optional<UpstreamFailure> failure,
		Optional<Instant> nextAttemptAt, Optional<Snapshot> lastGood, boolean keyRefused) {

	/** Returns the state as the health endpoint shows it. */
	public String state() {
		if (up.isEmpty()) {
			return "not asked yet";
		}
		return failure.map(last -> last.reason().isKeyRefused() ? "key refused" : "failing").orElse("answering");
	}

	/** Returns the time at which the last good answer was observed, however old it is. */
	public Optional<Instant> lastGoodAt() {
		return lastGood.map(Snapshot::observedAt);
	}

	/** Returns the end of the API that the last good answer announced. */
	public Optional<Deprecation> deprecation() {
		return lastGood.map(Snapshot::deprecation);
	}

	/**
	 * Returns whether the last good answer had a queue length; empty before the first
	 * answer.
	 */
	public Optional<Boolean> queueKnown() {
		return lastGood.map(good -> good.promptInfo().remaining() != null);
	}

	/** Returns whether the upstream answers, but without a queue length. */
	boolean isAnsweringWithoutQueue() {
		return up.orElse(false) && !queueKnown().orElse(true);
	}

}
