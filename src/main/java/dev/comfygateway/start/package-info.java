/**
 * Failures at start: validation before that of Spring Boot, and failure reports instead
 * of stack traces. No report contains the value of a secret.
 */
@NullMarked
package dev.comfygateway.start;

import org.jspecify.annotations.NullMarked;
