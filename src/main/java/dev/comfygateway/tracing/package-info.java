/**
 * Spring Boot's tracing of {@code /api/prompt} and its requests to the upstream. It is on
 * if a collector is configured. Spans contain no text from callers or the upstream.
 */
@NullMarked
package dev.comfygateway.tracing;

import org.jspecify.annotations.NullMarked;
