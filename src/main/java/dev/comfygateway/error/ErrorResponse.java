package dev.comfygateway.error;

import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.media.Schema.RequiredMode;

/**
 * Contract's description of a failure.
 *
 * @param code what failed, for programs
 * @param message what failed, for people
 */
public record ErrorResponse(
		@Schema(description = "What failed, for programs: the upstream's own code where it sent one",
				requiredMode = RequiredMode.REQUIRED) String code,
		@Schema(description = "What failed, for people: the upstream's own message where it sent one",
				requiredMode = RequiredMode.REQUIRED) String message) {
}
