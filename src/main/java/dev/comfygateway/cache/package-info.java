/**
 * Cache of the one answer, by these rules of freshness.
 * <ul>
 * <li>Fresh: the answer serves.</li>
 * <li>Stale while revalidating: it still serves, and one refresh runs in the
 * background.</li>
 * <li>Older: callers wait for one refresh.</li>
 * <li>Stale if error: if the refresh fails by a fault, the old answer serves up to its
 * maximum age. A refusal, such as that of the key, is no fault and ends the old
 * answer.</li>
 * <li>Cool-down: after a failure no request is made for a time that doubles with each
 * failure in a row, so that the gateway does not prolong an outage.</li>
 * </ul>
 *
 * <p>
 * {@link dev.comfygateway.cache.PromptCache} looks the answer up and lists the steps,
 * {@code Fetches} has the fetch in flight, and {@code ResultStore} has its results. Their
 * terms, in the order of the flow:
 * <ul>
 * <li>{@link dev.comfygateway.upstream.UpstreamOutcome}: what one request to the upstream
 * returned, an {@code UpstreamAnswer} or an {@code UpstreamFailure}.</li>
 * <li>{@link dev.comfygateway.cache.FetchResult}: what is kept of it, a
 * {@link dev.comfygateway.cache.Snapshot} or a {@link dev.comfygateway.cache.Cooldown}.
 * Replicas exchange these through {@link dev.comfygateway.cache.Fleet}.</li>
 * <li>{@link dev.comfygateway.cache.Lookup}: what one caller gets. {@code Stored} has a
 * snapshot that was there, {@code Fetched} one that the caller waited for.</li>
 * <li>{@link dev.comfygateway.cache.UpstreamStatus}: what health, metrics, the stream and
 * the page show.</li>
 * </ul>
 */
@NullMarked
package dev.comfygateway.cache;

import org.jspecify.annotations.NullMarked;
