package dev.comfygateway.cache;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.upstream.UpstreamFailure;

/**
 * Policy of ages: what a stored answer is good for, given its age and what the caller
 * asks.
 */
record Lifetime(long freshFor, long staleWhileRevalidate, long staleIfError, long refreshFloor) {

	/** What a stored answer is good for. */
	enum Verdict {

		/** Serves. */
		FRESH,
		/**
		 * Older than the caller asks, but too young to ask the upstream again: serves.
		 */
		REFRESH_FLOOR,
		/** Serves while a refresh runs behind it. */
		REVALIDATE,
		/**
		 * Older than the caller asks: a new one is fetched, and this one is no
		 * substitute.
		 */
		REFUSED_BY_CALLER,
		/** A new one is fetched; this one can stand in where that fails. */
		STALE

	}

	static Lifetime of(GatewayProperties properties) {
		return new Lifetime(properties.freshFor().toNanos(), properties.staleWhileRevalidate().toNanos(),
				properties.staleIfError().toNanos(), properties.refreshFloor().toNanos());
	}

	Verdict judge(long age, RequestDirectives wanted) {
		if (age > wanted.maxAgeNanos()) {
			return age < refreshFloor ? Verdict.REFRESH_FLOOR : Verdict.REFUSED_BY_CALLER;
		}
		if (age < freshFor) {
			return Verdict.FRESH;
		}
		return freshFor > 0 && age < freshFor + staleWhileRevalidate ? Verdict.REVALIDATE : Verdict.STALE;
	}

	/** Whether an answer of this age may no longer be served to anybody. */
	boolean isOver(long age) {
		return age >= freshFor + Math.max(freshFor > 0 ? staleWhileRevalidate : 0, staleIfError);
	}

	/** Whether an answer of this age stands in for a failure. */
	boolean servesInstead(UpstreamFailure failure, long age, RequestDirectives wanted) {
		return isFault(failure) && age < freshFor + staleIfError && age <= wanted.maxAgeNanos();
	}

	/**
	 * Whether the failure is a fault, which says nothing about the account. Every other
	 * one is an answer about it and ends the stored one.
	 */
	static boolean isFault(UpstreamFailure failure) {
		return switch (failure.reason()) {
			case UNAUTHORIZED, FORBIDDEN, UNEXPECTED_STATUS -> false;
			case RATE_LIMITED, INTERNAL_ERROR, UNAVAILABLE, INVALID_RESPONSE, RESPONSE_INCOMPLETE, PROTOCOL_ERROR,
					CONNECTION_REFUSED, CONNECTION_TERMINATED, DNS_ERROR, TLS_PROTOCOL_ERROR, TLS_CERTIFICATE_ERROR,
					CONNECTION_TIMEOUT, RESPONSE_TIMEOUT ->
				true;
		};
	}
}
