package dev.comfygateway.error;

/**
 * Contract's description of a failure.
 *
 * @param code what failed, for programs
 * @param message what failed, for people
 */
public record ErrorResponse(String code, String message) {
}
