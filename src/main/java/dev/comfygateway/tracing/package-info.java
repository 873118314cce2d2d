/**
 * Traces, which there are only where somebody collects them: Spring Boot's own, for
 * {@code /api/prompt} and what it causes, and without a word that others chose.
 */
@NullMarked
package dev.comfygateway.tracing;

import org.jspecify.annotations.NullMarked;
