package dev.comfygateway.page;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.media.Schema.RequiredMode;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Slot of the record.
 *
 * @param at start of the slot
 * @param queueRemaining last number of the slot; {@code null} if there is none
 * @param state how the number came about, or why there is none
 */
record HistoryPoint(@Schema(description = "Start of the slot", requiredMode = RequiredMode.REQUIRED) Instant at,
		@Schema(description = "Last number of the slot; null where there is none", nullable = true,
				requiredMode = RequiredMode.REQUIRED) @JsonProperty("queue_remaining") @Nullable Long queueRemaining,
		@Schema(description = "`known`: the upstream answered; `failed`: every attempt failed, or a cool-down"
				+ " ran; `unasked`: there was no request", requiredMode = RequiredMode.REQUIRED) State state) {

	/** What is known of a slot. */
	enum State {

		/**
		 * The upstream answered at some time of the slot. Its answer can have no number.
		 */
		@JsonProperty("known")
		KNOWN,
		/** Every request failed, or a cool-down was in force. */
		@JsonProperty("failed")
		FAILED,
		/** There was no request. */
		@JsonProperty("unasked")
		UNASKED

	}

}
