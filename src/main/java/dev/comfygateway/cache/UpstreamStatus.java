package dev.comfygateway.cache;

import dev.comfygateway.upstream.Deprecation;
import dev.comfygateway.upstream.UpstreamFailure;
import java.time.Instant;
import java.util.Optional;

/**
 * Status of the upstream, as its results show it.
 *
 * @param observed last good answer, if it may still be served
 * @param up whether the last fetch succeeded; absent before the first with this key
 * @param failure failure of the last fetch; absent after a success
 * @param nextAttemptAt end of the cool-down; absent if there is none
 * @param lastGood last good answer, however old it is
 * @param keyRefused whether the upstream refused the key, and no answer since shows that
 * it accepts the key
 */
public record UpstreamStatus(Optional<Snapshot> observed, Optional<Boolean> up, Optional<UpstreamFailure> failure,
		Optional<Instant> nextAttemptAt, Optional<Snapshot> lastGood, boolean keyRefused) {

	/** Status in one word or two, as health has it. */
	public String state() {
		if (up.isEmpty()) {
			return "not asked yet";
		}
		return failure.map(last -> last.reason().isKeyRefused() ? "key refused" : "failing").orElse("answering");
	}

	/** Time at which the last good answer was observed, however old it is. */
	public Optional<Instant> lastGoodAt() {
		return lastGood.map(Snapshot::observedAt);
	}

	/** Announcement of the end of the API by the last good answer. */
	public Optional<Deprecation> deprecation() {
		return lastGood.map(Snapshot::deprecation);
	}

	/** Whether the last good answer had a number; absent before the first one. */
	public Optional<Boolean> queueKnown() {
		return lastGood.map(good -> good.promptInfo().remaining() != null);
	}

	/** Whether the upstream answers, but without a number. */
	boolean isAnsweringWithoutQueue() {
		return up.orElse(false) && !queueKnown().orElse(true);
	}

}
