package dev.comfygateway.cache;

import java.util.concurrent.CompletableFuture;

/**
 * Fetch in flight, as seen by one of its callers.
 *
 * @param result result of the fetch; exceptional only by a bug
 * @param collapsed whether another caller had started it
 */
record InFlightFetch(CompletableFuture<FetchResult> result, boolean collapsed) {
}
