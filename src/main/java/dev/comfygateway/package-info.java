/**
 * Gateway that answers Comfy Cloud's {@code GET /api/prompt} for callers that hold no
 * key.
 *
 * <pre>
 *                  ┌─ FreshAnswers ──── in memory? answered on the selector's thread ─┐
 * caller ──> Jetty ┼─ EventsHandler ─── the stream, which takes no thread ────────────┼─> PromptCache ──> ComfyCloudClient ──> Comfy Cloud
 *                  └─ BulkheadHandler ─ PromptController, on a thread that may wait ──┘   how long an    the one place that
 *                                                                                         answer lives   sends the key
 * </pre>
 *
 * One immutable value travels back, a {@link dev.comfygateway.cache.Snapshot}; a failure
 * travels as a value too, an {@link dev.comfygateway.upstream.UpstreamFailure}. The
 * packages know each other in one direction only: {@code web → cache → upstream}. The
 * package {@code fleet} lets replicas share what the cache fetches, the package
 * {@code events} streams it, and the package {@code page} shows it to people. The package
 * {@code error} has the words for failures, for callers and operators alike.
 */
@NullMarked
package dev.comfygateway;

import org.jspecify.annotations.NullMarked;
