package dev.comfygateway.cache;

import java.util.concurrent.CompletableFuture;

/**
 * Fetch in flight, as one caller sees it.
 *
 * @param result completes with what the fetch came to, exceptionally only by a bug
 * @param collapsed whether another caller had started it
 */
record InFlightFetch(CompletableFuture<FetchResult> result, boolean collapsed) {
}
