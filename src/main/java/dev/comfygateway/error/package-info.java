/**
 * Error responses. The body is always the contract's {@code ErrorResponse} in JSON, even
 * if Jetty rejects a request. It never contains the message of an exception.
 */
@NullMarked
package dev.comfygateway.error;

import org.jspecify.annotations.NullMarked;
