/**
 * Cache of the one answer, and the policy of its life.
 * <ul>
 * <li>Fresh: the answer serves.</li>
 * <li>Stale while revalidating: it still serves, and one refresh runs in the
 * background.</li>
 * <li>Older: callers wait for the refresh, together.</li>
 * <li>Stale if error: where the refresh fails by a fault, the old answer serves up to its
 * maximum age. A refusal, such as that of the key, is no fault and ends the old
 * answer.</li>
 * <li>Cool-down: after a failure no request is made for a time that doubles with each
 * failure in a row, so that the gateway does not prolong an outage.</li>
 * </ul>
 *
 * <p>
 * At most one request is in flight. The cache owns it: a caller who leaves cancels
 * nothing.
 */
@NullMarked
package dev.comfygateway.cache;

import org.jspecify.annotations.NullMarked;
