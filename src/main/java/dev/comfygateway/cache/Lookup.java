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
	 * @param ttl nanoseconds of freshness left; negative or zero where it is stale
	 * @param detail why it is served, where that is not its freshness
	 * @param failure the upstream's failure that it stands in for, where that is the
	 * detail
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
	 * @param forward why the upstream was asked
	 * @param collapsed whether another caller had started the fetch
	 * @param shared whether another replica fetched it; a collapsed one too
	 */
	record Fetched(Snapshot snapshot, long age, long ttl, Forward forward, boolean collapsed,
			boolean shared) implements Lookup {
	}

	/**
	 * Failure, and no answer that could stand in for it.
	 *
	 * @param failure what failed
	 * @param retryAfterSeconds when the upstream may be asked again; whole seconds, at
	 * least 1
	 */
	record Failed(UpstreamFailure failure, long retryAfterSeconds) implements Lookup {
	}

	/** Nothing to serve to a caller with {@code only-if-cached}. */
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

	/** Why a stored answer is served. */
	enum Detail {

		/** It is fresh, or the caller has {@code only-if-cached}. */
		NONE,
		/** It is too young to ask the upstream again, whatever the caller asks. */
		REFRESH_FLOOR,
		/** A refresh is under way. */
		REVALIDATING,
		/** The upstream fails. */
		UPSTREAM_FAILURE

	}

	/** Why the upstream was asked. */
	enum Forward {

		/** Nothing was stored. */
		URI_MISS,
		/** What was stored is too old. */
		STALE,
		/** What was stored is older than the caller asks. */
		REQUEST

	}

}
