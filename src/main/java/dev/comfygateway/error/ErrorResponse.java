package dev.comfygateway.error;

import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.media.Schema.RequiredMode;

/**
 * Description of a failure, as the contract defines it.
 *
 * @param code machine-readable error code
 * @param message human-readable error message
 */
public record ErrorResponse(
		@Schema(description = "Machine-readable error code, from the upstream or the gateway",
				requiredMode = RequiredMode.REQUIRED) String code,
		@Schema(description = "Human-readable error message, from the upstream or the gateway",
				requiredMode = RequiredMode.REQUIRED) String message) {
}
