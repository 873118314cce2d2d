/**
 * How a failure is told: always the contract's {@code ErrorResponse} in JSON, whatever
 * failed and however early, never with a text that came from an exception.
 */
@NullMarked
package dev.comfygateway.error;

import org.jspecify.annotations.NullMarked;
