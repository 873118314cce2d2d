package dev.comfygateway.cache;

import dev.comfygateway.upstream.PromptInfo;
import dev.comfygateway.upstream.UpstreamFailure;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Result of a fetch as replicas share it. Times are relative to now, since the clocks of
 * replicas may differ.
 *
 * @param keyVersion version of the key that it was fetched with, on this replica
 * @param age time since the fetch
 * @param answer last good answer; absent where there is none, or where the failure ended
 * it
 * @param failure failure of the last fetch; absent after a success
 */
public record SharedResult(long keyVersion, Duration age, @Nullable Answer answer, @Nullable Failure failure) {

	/**
	 * Good answer.
	 *
	 * @param promptInfo the contract's value
	 * @param ageOnArrival age that the upstream gave it
	 * @param deprecated whether the upstream announced the end of its API
	 * @param took time of its fetch
	 * @param arrivedAt arrival in wall-clock time of the replica that fetched it
	 * @param sinceArrival time since that
	 */
	public record Answer(PromptInfo promptInfo, Duration ageOnArrival, boolean deprecated, Duration took,
			Instant arrivedAt, Duration sinceArrival) {
	}

	/**
	 * Failure, and the cool-down after it.
	 *
	 * @param failure what failed
	 * @param endsAnswer whether the last good answer serves nobody any more
	 * @param interval the cool-down's length before jitter
	 * @param left what is left of the cool-down; zero where it is over
	 * @param keyRefused whether the key was refused, by this failure or by an earlier one
	 * in a row
	 * @param failures failures in a row
	 * @param sinceFirst time since the first of them
	 */
	public record Failure(UpstreamFailure failure, boolean endsAnswer, Duration interval, Duration left,
			boolean keyRefused, int failures, Duration sinceFirst) {
	}

}
