package dev.comfygateway.error;

import io.swagger.v3.oas.annotations.media.Schema;

/**
 * Contract's description of a failure.
 *
 * @param code what failed, for programs
 * @param message what failed, for people
 */
@Schema(description = "Description of a failure")
public record ErrorResponse(
		@Schema(description = "What failed, for programs", requiredMode = Schema.RequiredMode.REQUIRED,
				example = "UPSTREAM_TIMEOUT") String code,
		@Schema(description = "What failed, for people", requiredMode = Schema.RequiredMode.REQUIRED,
				example = "The upstream did not answer in time.") String message) {
}
