package dev.comfygateway.cache;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.upstream.UpstreamFailure;

/**
 * Freshness policy, based on two durations in nanoseconds:
 * <ul>
 * <li>The time since arrival decides whether an answer is fresh, whether it is served
 * during revalidation, and when the next request is due. An {@code Age} from the upstream
 * therefore does not cause more requests.</li>
 * <li>The age is the time since arrival plus the upstream's {@code Age}. It is compared
 * with a caller's {@code max-age}, and limited by {@code stale-if-error}.</li>
 * </ul>
 */
record FreshnessPolicy(long freshFor, long staleWhileRevalidate, long staleIfError, long refreshFloor) {

	/** Freshness of a stored answer for one caller. */
	enum Freshness {

		/** It is served. */
		FRESH,
		/**
		 * It is older than the caller accepts, but it arrived less than the refresh floor
		 * ago: it is served.
		 */
		REFRESH_FLOOR,
		/** It is served while a refresh runs in the background. */
		REVALIDATE,
		/**
		 * It is older than the caller accepts: it is not served, and a new one is
		 * fetched.
		 */
		REFUSED_BY_CALLER,
		/** A new one is fetched. If the fetch fails, this one may be served. */
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

	/**
	 * Returns the remaining time of freshness; zero or negative if the answer is stale.
	 */
	long ttl(Snapshot stored, long now) {
		return freshFor - stored.sinceArrival(now);
	}

	/**
	 * Returns the time since arrival below which another replica's answer is new enough
	 * for a caller.
	 */
	long maxSinceArrivalNanos(RequestDirectives directives) {
		return Math.min(freshFor, Math.max(directives.maxAgeNanos(), refreshFloor));
	}

	/**
	 * Returns the remaining time in which the answer may be served; zero or negative if
	 * it may not be served to any caller.
	 */
	long remainingLifetime(Snapshot stored, long now) {
		return Math.max(endOfRevalidation() - stored.sinceArrival(now), endOfStaleIfError() - stored.age(now));
	}

	/**
	 * Returns the remaining time in which the answer may be served after this failure;
	 * zero or negative if it may not be served to any caller. A failed refresh ends
	 * {@code stale-while-revalidate}.
	 */
	long remainingLifetime(Snapshot stored, long now, UpstreamFailure failure) {
		return isTransient(failure) ? Math.max(ttl(stored, now), endOfStaleIfError() - stored.age(now)) : 0;
	}

	/** Returns whether the answer may be served to a caller in place of a failure. */
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
	 * Returns whether the failure is independent of the account. The others (400, 401,
	 * 402, and 403 in JSON) concern the account and invalidate the stored answer.
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
