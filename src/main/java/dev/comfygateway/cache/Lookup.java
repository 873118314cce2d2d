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
	 * @param ttl remaining nanoseconds of freshness; zero or negative if it is stale
	 * @param detail reason why it is served, if it is not fresh
	 * @param failure the failure in place of which it is served; null if there is none
	 */
	record Stored(Snapshot snapshot, long age, long ttl, Detail detail,
			@Nullable UpstreamFailure failure) implements Lookup {
	}

	/**
	 * Answer that was fetched while the caller waited.
	 *
	 * @param snapshot the answer
	 * @param age its age in nanoseconds
	 * @param ttl remaining nanoseconds of freshness
	 * @param forward reason for the upstream request
	 * @param collapsed whether another caller started the fetch, or another replica made
	 * it
	 * @param shared whether another replica fetched the answer
	 */
	record Fetched(Snapshot snapshot, long age, long ttl, Forward forward, boolean collapsed,
			boolean shared) implements Lookup {
	}

	/**
	 * Failure, if no stored answer may be served in its place.
	 *
	 * @param failure the failure
	 * @param retryAfterSeconds seconds until the next upstream request is allowed; at
	 * least 1
	 */
	record Failed(UpstreamFailure failure, long retryAfterSeconds) implements Lookup {
	}

	/**
	 * Result for a caller with {@code only-if-cached}, if no stored answer may be served.
	 */
	record NotCached() implements Lookup {
	}

	/**
	 * Fetch that the caller must wait for.
	 *
	 * @param answer completes within {@link PromptCache#maxWait()}, never with another
	 * {@code Awaited}; exceptionally only after an unexpected exception
	 */
	record Awaited(CompletableFuture<Lookup> answer) implements Lookup {
	}

	/** Reason why a stored answer is served. */
	enum Detail {

		/** It is fresh, or the caller sent {@code only-if-cached}. */
		NONE,
		/** It arrived less than the refresh floor ago. */
		REFRESH_FLOOR,
		/** A refresh is in flight. */
		REVALIDATING,
		/** The last fetch failed. */
		UPSTREAM_FAILURE

	}

	/** Reason for an upstream request. */
	enum Forward {

		/** No answer was stored that may be served to any caller. */
		URI_MISS,
		/** The stored answer is stale. */
		STALE,
		/** The stored answer is older than the caller accepts. */
		REQUEST

	}

}
