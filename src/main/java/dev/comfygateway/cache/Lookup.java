package dev.comfygateway.cache;

import dev.comfygateway.upstream.UpstreamFailure;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Result of a lookup in the cache. */
public sealed interface Lookup {

	/**
	 * Stored answer.
	 *
	 * @param snapshot the answer
	 * @param age its age in nanoseconds
	 * @param ttl nanoseconds of freshness left; negative or zero if it is stale
	 * @param detail why it is served, if it is not fresh
	 * @param failure the failure in place of which it is served; absent otherwise
	 */
	record Stored(Snapshot snapshot, long age, long ttl, Detail detail,
			@Nullable UpstreamFailure failure) implements Lookup {
	}

	/**
	 * Answer fetched for this caller, alone or together with others.
	 *
	 * @param snapshot the answer
	 * @param age its age in nanoseconds
	 * @param ttl nanoseconds of freshness left
	 * @param forward reason of the request
	 * @param collapsed whether another caller had started the fetch
	 * @param shared whether another replica fetched it; it then counts as collapsed
	 */
	record Fetched(Snapshot snapshot, long age, long ttl, Forward forward, boolean collapsed,
			boolean shared) implements Lookup {
	}

	/**
	 * Failure, without an answer that may serve in its place.
	 *
	 * @param retryAfterSeconds time until the next request to the upstream; at least 1
	 */
	record Failed(UpstreamFailure failure, long retryAfterSeconds) implements Lookup {
	}

	/** No answer for a caller with {@code only-if-cached}. */
	record NotCached() implements Lookup {
	}

	/**
	 * Answer of a fetch in flight.
	 *
	 * @param answer completes within the upstream's deadline, exceptionally only by a
	 * bug; never with another of this kind
	 */
	record Awaited(CompletableFuture<Lookup> answer) implements Lookup {
	}

	/** Reason for which a stored answer is served. */
	enum Detail {

		/** It is fresh, or the caller has {@code only-if-cached}. */
		NONE,
		/** The last request to the upstream is too recent for another one. */
		REFRESH_FLOOR,
		/** A refresh is in flight. */
		REVALIDATING,
		/** The upstream fails. */
		UPSTREAM_FAILURE

	}

	/** Reason of a request to the upstream. */
	enum Forward {

		/** Nothing was stored. */
		URI_MISS,
		/** The stored answer is stale. */
		STALE,
		/** The stored answer is older than the caller accepts. */
		REQUEST

	}

}
