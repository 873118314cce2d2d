package dev.comfygateway.cache;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.upstream.UpstreamFailure;

/**
 * Policy of freshness, by two times in nanoseconds.
 * <ul>
 * <li>The time since arrival decides whether an answer is fresh, whether it serves during
 * revalidation, and when the next request is due. An {@code Age} from the upstream
 * therefore causes no more requests.</li>
 * <li>The age is the time since arrival and the upstream's {@code Age}. It is compared
 * with a caller's {@code max-age}, and bounded by {@code stale-if-error}.</li>
 * </ul>
 */
record FreshnessPolicy(long freshFor, long staleWhileRevalidate, long staleIfError, long refreshFloor) {

	/** Use of a stored answer for a caller. */
	enum Freshness {

		/** Serves. */
		FRESH,
		/**
		 * Older than the caller accepts, but within the minimum time between two
		 * requests: serves.
		 */
		REFRESH_FLOOR,
		/** Serves while a refresh runs in the background. */
		REVALIDATE,
		/** Older than the caller accepts: never serves, and a new one is fetched. */
		REFUSED_BY_CALLER,
		/** A new one is fetched. Where that fails, this one may serve. */
		STALE

	}

	static FreshnessPolicy of(GatewayProperties properties) {
		return new FreshnessPolicy(properties.freshFor().toNanos(), properties.staleWhileRevalidate().toNanos(),
				properties.staleIfError().toNanos(), properties.refreshFloor().toNanos());
	}

	Freshness evaluate(Snapshot stored, long now, RequestDirectives directives) {
		long sinceArrival = stored.sinceArrival(now);
		if (stored.age(now) > directives.maxAgeNanos()) {
			return sinceArrival < refreshFloor ? Freshness.REFRESH_FLOOR : Freshness.REFUSED_BY_CALLER;
		}
		if (sinceArrival < freshFor) {
			return Freshness.FRESH;
		}
		return sinceArrival < endOfRevalidation() ? Freshness.REVALIDATE : Freshness.STALE;
	}

	/** Freshness left; zero or negative if the answer is stale. */
	long ttl(Snapshot stored, long now) {
		return freshFor - stored.sinceArrival(now);
	}

	/**
	 * Time since arrival below which another replica's answer serves a caller that waits.
	 */
	long newBelow(RequestDirectives directives) {
		return Math.min(freshFor, Math.max(directives.maxAgeNanos(), refreshFloor));
	}

	/** Time left in which the answer may serve any caller; zero or less for none. */
	long remainingLife(Snapshot stored, long now) {
		return Math.max(endOfRevalidation() - stored.sinceArrival(now), endOfStaleIfError() - stored.age(now));
	}

	/**
	 * Time left in which the answer may serve any caller after this failure; zero or less
	 * for none. A failed refresh ends the time of revalidation.
	 */
	long remainingLife(Snapshot stored, long now, UpstreamFailure failure) {
		return isTransient(failure) ? Math.max(ttl(stored, now), endOfStaleIfError() - stored.age(now)) : 0;
	}

	/** Whether the answer serves a caller in place of a failure. */
	boolean mayServeStaleOnError(UpstreamFailure failure, Snapshot stored, long now, RequestDirectives directives) {
		long age = stored.age(now);
		return isTransient(failure) && age < endOfStaleIfError() && age <= directives.maxAgeNanos();
	}

	private long endOfRevalidation() {
		return freshFor > 0 ? freshFor + staleWhileRevalidate : 0;
	}

	private long endOfStaleIfError() {
		return freshFor + staleIfError;
	}

	/**
	 * Whether the failure is independent of the account. The others (400, 401, 402, and
	 * 403 in JSON) concern the account, and end the stored answer.
	 */
	static boolean isTransient(UpstreamFailure failure) {
		return switch (failure.reason()) {
			case UNAUTHORIZED, FORBIDDEN -> false;
			case UNEXPECTED_STATUS -> failure.status() != 400 && failure.status() != 402;
			case BLOCKED, RATE_LIMITED, INTERNAL_ERROR, UNAVAILABLE, INVALID_RESPONSE, RESPONSE_INCOMPLETE,
					PROTOCOL_ERROR, CONNECTION_REFUSED, CONNECTION_TERMINATED, TUNNEL_REFUSED, DNS_ERROR,
					TLS_PROTOCOL_ERROR, TLS_CERTIFICATE_ERROR, CONNECTION_TIMEOUT, RESPONSE_TIMEOUT ->
				true;
		};
	}
}
