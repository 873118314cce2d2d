package dev.comfygateway.upstream;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.swagger.v3.oas.annotations.media.Schema;
import org.jspecify.annotations.Nullable;

/**
 * Answer of the contract. Its fields are optional: those that the upstream omits are
 * absent.
 *
 * @param execInfo what is being executed
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record PromptInfo(@JsonProperty("exec_info") @Nullable ExecInfo execInfo) {

	/**
	 * What is being executed.
	 *
	 * @param queueRemaining number of items remaining in the queue; 0 or more
	 */
	@JsonInclude(JsonInclude.Include.NON_NULL)
	public record ExecInfo(@Schema(description = "Number of items remaining in the queue",
			minimum = "0") @JsonProperty("queue_remaining") @Nullable Long queueRemaining) {
	}

	/** Number of items remaining in the queue; absent if the upstream sent none. */
	public @Nullable Long remaining() {
		return execInfo == null ? null : execInfo.queueRemaining();
	}

}
