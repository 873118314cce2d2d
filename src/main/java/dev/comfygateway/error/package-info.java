/**
 * Failures as callers and operators see them. Every answer of a failure is the contract's
 * {@code ErrorResponse} in JSON, also if Jetty refuses a request. No text of an exception
 * is part of one.
 */
@NullMarked
package dev.comfygateway.error;

import org.jspecify.annotations.NullMarked;
