/**
 * Gateway that serves Comfy Cloud's {@code GET /api/prompt} to callers without an API
 * key.
 *
 * <pre>
 *                  ┌─ PromptAccelerator ─ most requests for the prompt, without a thread ─┐
 * caller ──> Jetty ┼─ EventsHandler ───── event stream, without a thread ─────────────────┼─> PromptCache ──> ComfyCloudClient ──> Comfy Cloud
 *                  └─ BulkheadHandler ─── PromptController, on a thread that may block ───┘   freshness and  the only class
 *                                                                                             staleness      that sends the key
 * </pre>
 *
 * The result is an immutable value: a {@link dev.comfygateway.cache.Snapshot} for an
 * answer, or a {@link dev.comfygateway.cache.Cooldown} after a failure. A package depends
 * only on packages below it in this list:
 * <ul>
 * <li>{@code prompt}, {@code events} and {@code page}: the endpoints.</li>
 * <li>{@code openapi}, {@code tracing}: the OpenAPI document, and traces.</li>
 * <li>{@code server}: Jetty and its chain of handlers.</li>
 * <li>{@code fleet}: sharing of fetch results between replicas.</li>
 * <li>{@code cache}: freshness of the answer, and the decision to call the upstream.</li>
 * <li>{@code error}: error codes and messages for callers and operators.</li>
 * <li>{@code upstream}: the client of Comfy Cloud, and the key.</li>
 * <li>{@code log}, {@code start} and this package: the log, failure reports at start, and
 * the settings.</li>
 * </ul>
 */
@NullMarked
package dev.comfygateway;

import org.jspecify.annotations.NullMarked;
