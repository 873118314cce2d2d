package dev.comfygateway.upstream;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.swagger.v3.oas.annotations.media.Schema;
import org.jspecify.annotations.Nullable;

/**
 * Answer as the contract defines it. All fields are optional: a field that the upstream
 * omits is null.
 *
 * @param execInfo information about the current execution
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record PromptInfo(@JsonProperty("exec_info") @Nullable ExecInfo execInfo) {

	/**
	 * Information about the current execution.
	 *
	 * @param queueRemaining number of items remaining in the queue; 0 or more
	 */
	@JsonInclude(JsonInclude.Include.NON_NULL)
	public record ExecInfo(@Schema(description = "Number of items remaining in the queue",
			minimum = "0") @JsonProperty("queue_remaining") @Nullable Long queueRemaining) {
	}

	/**
	 * Returns the number of items remaining in the queue; null if the upstream sent none.
	 */
	public @Nullable Long remaining() {
		return execInfo == null ? null : execInfo.queueRemaining();
	}

}
