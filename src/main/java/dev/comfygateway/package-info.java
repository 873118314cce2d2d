/**
 * Gateway that answers Comfy Cloud's {@code GET /api/prompt} for callers that hold no
 * key.
 *
 * <pre>
 * caller ──> PromptController ──> PromptCache ──> ComfyCloudClient ──> Comfy Cloud
 *            HTTP in and out      how long an      the one place that
 *            (8080, keyless)      answer lives     knows the key
 * </pre>
 *
 * One immutable value travels back, a {@link dev.comfygateway.cache.Snapshot}; a failure
 * travels as a value too, an {@link dev.comfygateway.upstream.UpstreamFailure}. The
 * packages know each other in one direction only: {@code prompt → cache → upstream};
 * {@code error}, which tells failures, {@code server}, which makes Tomcat wait for
 * nobody, and {@code tracing} are known to {@code prompt} alone.
 */
@NullMarked
package dev.comfygateway;

import org.jspecify.annotations.NullMarked;
