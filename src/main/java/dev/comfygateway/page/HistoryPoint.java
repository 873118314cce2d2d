package dev.comfygateway.page;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.media.Schema.RequiredMode;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Slot of the history.
 *
 * @param at start of the slot
 * @param queueRemaining last queue length of the slot; {@code null} if there is none
 * @param state origin of the queue length, or the reason for its absence
 */
record HistoryPoint(@Schema(description = "Start of the slot", requiredMode = RequiredMode.REQUIRED) Instant at,
		@Schema(description = "Last queue length of the slot; null if there is none", nullable = true,
				requiredMode = RequiredMode.REQUIRED) @JsonProperty("queue_remaining") @Nullable Long queueRemaining,
		@Schema(description = "`known`: the upstream answered; `failed`: every attempt failed, or there was a"
				+ " cool-down; `unasked`: there was no request", requiredMode = RequiredMode.REQUIRED) State state) {

	/** State of a slot. */
	enum State {

		/**
		 * The upstream answered during the slot, possibly without a queue length.
		 */
		@JsonProperty("known")
		KNOWN,
		/** Every request failed, or there was a cool-down. */
		@JsonProperty("failed")
		FAILED,
		/** There was no request. */
		@JsonProperty("unasked")
		UNASKED

	}

}
