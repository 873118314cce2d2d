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
 * travels as a value too, an {@link dev.comfygateway.upstream.UpstreamFailure}. Each
 * package knows those below it in this list, and none above.
 * <ul>
 * <li>{@code prompt}, {@code events} and {@code page}: what callers and people ask
 * for.</li>
 * <li>{@code openapi}, {@code tracing}: descriptions of it for tools.</li>
 * <li>{@code server}: Jetty, and the chain of its handlers.</li>
 * <li>{@code fleet}: sharing of what the cache fetches between replicas.</li>
 * <li>{@code cache}: how long an answer lives, and what reaches the upstream.</li>
 * <li>{@code error}: the words for failures, for callers and operators alike.</li>
 * <li>{@code upstream}: the client of Comfy Cloud, and the key.</li>
 * <li>{@code log}, {@code start} and this package: the log, failed starts and the
 * settings.</li>
 * </ul>
 */
@NullMarked
package dev.comfygateway;

import org.jspecify.annotations.NullMarked;
