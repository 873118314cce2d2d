/**
 * Starts that fail: checks ahead of those of Spring Boot, and failure reports in place of
 * stack traces. No report has the value of a secret.
 */
@NullMarked
package dev.comfygateway.start;

import org.jspecify.annotations.NullMarked;
