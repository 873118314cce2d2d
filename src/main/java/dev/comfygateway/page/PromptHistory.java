package dev.comfygateway.page;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.swagger.v3.oas.annotations.media.ArraySchema;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.media.Schema.RequiredMode;
import java.util.List;

/**
 * History of the last hour, as callers receive it.
 *
 * @param intervalSeconds length of a slot
 * @param points every slot, oldest first; the last one is still in progress
 */
record PromptHistory(
		@Schema(description = "Length of a slot",
				requiredMode = RequiredMode.REQUIRED) @JsonProperty("interval_seconds") long intervalSeconds,
		@ArraySchema(arraySchema = @Schema(description = "Every slot, oldest first; the last one is still in progress",
				requiredMode = RequiredMode.REQUIRED)) List<HistoryPoint> points) {
}
