/**
 * Cache of the answer about the queue, with these rules of freshness:
 * <ul>
 * <li>Fresh: the answer is served.</li>
 * <li>Stale while revalidating: the answer is served, and one refresh runs in the
 * background.</li>
 * <li>Older: callers wait for one refresh.</li>
 * <li>Stale if error: if the refresh fails with a transient error, the old answer is
 * served up to its maximum age. A failure that concerns the account, such as a refused
 * key, invalidates the old answer.</li>
 * <li>Cool-down: after a failure no request is made for a time that doubles with each
 * consecutive failure, so that the gateway does not prolong an outage.</li>
 * </ul>
 *
 * <p>
 * {@link dev.comfygateway.cache.PromptCache} looks up the answer and documents the steps,
 * {@code Fetches} has the fetch in flight, and {@code ResultStore} has its results. Their
 * types, in the order of the flow:
 * <ul>
 * <li>{@link dev.comfygateway.upstream.UpstreamOutcome}: outcome of an upstream request,
 * an {@code UpstreamAnswer} or an {@code UpstreamFailure}.</li>
 * <li>{@link dev.comfygateway.cache.FetchResult}: stored result of a fetch, a
 * {@link dev.comfygateway.cache.Snapshot} or a {@link dev.comfygateway.cache.Cooldown}.
 * Replicas exchange these through {@link dev.comfygateway.cache.Fleet}.</li>
 * <li>{@link dev.comfygateway.cache.Lookup}: result for one caller. {@code Stored} has a
 * snapshot from the cache, {@code Fetched} one that the caller waited for.</li>
 * <li>{@link dev.comfygateway.cache.UpstreamStatus}: status for health, metrics, the
 * stream and the page.</li>
 * </ul>
 */
@NullMarked
package dev.comfygateway.cache;

import org.jspecify.annotations.NullMarked;
