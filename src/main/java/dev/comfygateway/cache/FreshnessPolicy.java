package dev.comfygateway.cache;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.upstream.UpstreamFailure;

/**
 * Freshness policy: use of a stored answer, by its age and the caller's directives. All
 * times are in nanoseconds.
 */
record FreshnessPolicy(long freshFor, long staleWhileRevalidate, long staleIfError, long refreshFloor) {

	/** Use of a stored answer for a caller. */
	enum Freshness {

		/** Serves. */
		FRESH,
		/**
		 * Older than the caller asks, but too young to ask the upstream again: serves.
		 */
		REFRESH_FLOOR,
		/** Serves while a refresh runs in the background. */
		REVALIDATE,
		/**
		 * Older than the caller asks: a new one is fetched, and this one never stands in.
		 */
		REFUSED_BY_CALLER,
		/** A new one is fetched; this one may stand in where that fails. */
		STALE

	}

	static FreshnessPolicy of(GatewayProperties properties) {
		return new FreshnessPolicy(properties.freshFor().toNanos(), properties.staleWhileRevalidate().toNanos(),
				properties.staleIfError().toNanos(), properties.refreshFloor().toNanos());
	}

	Freshness evaluate(long age, RequestDirectives wanted) {
		if (age > wanted.maxAgeNanos()) {
			return age < refreshFloor ? Freshness.REFRESH_FLOOR : Freshness.REFUSED_BY_CALLER;
		}
		if (age < freshFor) {
			return Freshness.FRESH;
		}
		return freshFor > 0 && age < freshFor + staleWhileRevalidate ? Freshness.REVALIDATE : Freshness.STALE;
	}

	/** Age below which an answer that somebody else fetched is new to a caller. */
	long newBelow(RequestDirectives wanted) {
		return Math.min(freshFor, Math.max(wanted.maxAgeNanos(), refreshFloor));
	}

	/** Age from which an answer serves no caller. */
	long maxAge() {
		return freshFor + Math.max(freshFor > 0 ? staleWhileRevalidate : 0, staleIfError);
	}

	/** Whether an answer of this age stands in for a failure. */
	boolean mayServeStaleOnError(UpstreamFailure failure, long age, RequestDirectives wanted) {
		return isTransient(failure) && age < freshFor + staleIfError && age <= wanted.maxAgeNanos();
	}

	/**
	 * Whether the failure is a fault, which says nothing about the account. The others
	 * (400, 401, 402, 403) concern the account and end the stored answer.
	 */
	static boolean isTransient(UpstreamFailure failure) {
		return switch (failure.reason()) {
			case UNAUTHORIZED, FORBIDDEN, BLOCKED -> false;
			case UNEXPECTED_STATUS -> failure.status() != 400 && failure.status() != 402;
			case RATE_LIMITED, INTERNAL_ERROR, UNAVAILABLE, INVALID_RESPONSE, RESPONSE_INCOMPLETE, PROTOCOL_ERROR,
					CONNECTION_REFUSED, CONNECTION_TERMINATED, DNS_ERROR, TLS_PROTOCOL_ERROR, TLS_CERTIFICATE_ERROR,
					CONNECTION_TIMEOUT, RESPONSE_TIMEOUT ->
				true;
		};
	}
}
