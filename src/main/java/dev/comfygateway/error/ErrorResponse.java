package dev.comfygateway.error;

import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.media.Schema.RequiredMode;

/**
 * Description of a failure, as the contract defines it.
 *
 * @param code what failed, for programs
 * @param message what failed, for people
 */
public record ErrorResponse(
		@Schema(description = "What failed, for programs: a code of the upstream or of the gateway",
				requiredMode = RequiredMode.REQUIRED) String code,
		@Schema(description = "What failed, for people: a message of the upstream or of the gateway",
				requiredMode = RequiredMode.REQUIRED) String message) {
}
