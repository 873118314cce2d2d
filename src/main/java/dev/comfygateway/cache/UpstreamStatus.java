package dev.comfygateway.cache;

import dev.comfygateway.upstream.UpstreamFailure;
import java.time.Instant;
import java.util.Optional;

/**
 * Status of the upstream, as its results show it.
 *
 * @param observed last good answer, where it may still be served
 * @param up whether the last fetch succeeded; absent before the first with this key
 * @param failure failure of the last fetch; absent after a success
 * @param nextAttemptAt end of the cool-down; absent where there is none
 * @param lastGoodAt time at which the last good answer was observed, however old it is
 * @param keyRefused whether the upstream refused the key, and no answer since shows that
 * it accepts the key
 * @param deprecated whether the last good answer announced the end of the API
 */
public record UpstreamStatus(Optional<Snapshot> observed, Optional<Boolean> up, Optional<UpstreamFailure> failure,
		Optional<Instant> nextAttemptAt, Optional<Instant> lastGoodAt, boolean keyRefused, boolean deprecated) {

	/** Status in one word or two, as health has it. */
	public String state() {
		if (up.isEmpty()) {
			return "not asked yet";
		}
		return failure.map(last -> last.reason().isKeyRefused() ? "key refused" : "failing").orElse("answering");
	}

}
