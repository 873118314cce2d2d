package dev.comfygateway.upstream;

import java.time.Duration;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Failure to get an answer from the upstream.
 *
 * @param reason what went wrong
 * @param status the upstream's HTTP status, or an outbound proxy's where that refused the
 * tunnel; 0 where none arrived or it does not matter
 * @param code the upstream's own error code where it is fit to be passed on
 * @param message the upstream's own message, cleaned, where it is fit to be passed on
 * @param retryAfter how long the upstream asked to be left alone, at most 5 minutes;
 * absent where it did not ask, or not validly
 * @param keyVersion version of the key that was sent
 */
public record UpstreamFailure(Reason reason, int status, @Nullable String code, @Nullable String message,
		@Nullable Duration retryAfter, long keyVersion) implements UpstreamOutcome {

	/** What went wrong. */
	public enum Reason {

		/** 401: the key is refused. */
		UNAUTHORIZED,
		/** 403 in the contract's format: the key is refused for this. */
		FORBIDDEN,
		/** 403 in another format: a firewall on the way, which judges no key. */
		BLOCKED,
		/** 429. */
		RATE_LIMITED,
		/** 500. */
		INTERNAL_ERROR,
		/** 502, 503 or 504. */
		UNAVAILABLE,
		/** Any other status but 200. */
		UNEXPECTED_STATUS,
		/** 200 with something else than the contract's answer, or too much of it. */
		INVALID_RESPONSE,
		/** 200, and the rest never came. */
		RESPONSE_INCOMPLETE,
		/** Something that is not HTTP. */
		PROTOCOL_ERROR,
		/** No connection. */
		CONNECTION_REFUSED,
		/** Connection closed before an answer began. */
		CONNECTION_TERMINATED,
		/** An outbound proxy answered CONNECT with another status than 200. */
		TUNNEL_REFUSED,
		/** No address for the host's name. */
		DNS_ERROR,
		/** No TLS with the other side. */
		TLS_PROTOCOL_ERROR,
		/** Certificate that cannot be trusted. */
		TLS_CERTIFICATE_ERROR,
		/** No connection in time. */
		CONNECTION_TIMEOUT,
		/** No whole answer within the deadline. */
		RESPONSE_TIMEOUT;

		/** Whether the upstream refuses the key, which only its operator can fix. */
		public boolean isKeyRefused() {
			return this == UNAUTHORIZED || this == FORBIDDEN;
		}

	}

	public UpstreamFailure {
		if ((code != null && !ContractReader.isCode(code)) || (message != null && !ContractReader.isMessage(message))) {
			throw new IllegalArgumentException("Code or message that cannot be passed on");
		}
	}

	/**
	 * Status by which an outbound proxy refused the tunnel; absent for other failures.
	 */
	public OptionalInt proxyStatus() {
		return reason == Reason.TUNNEL_REFUSED ? OptionalInt.of(status) : OptionalInt.empty();
	}

	/** The same without a code or a message that holds the key or a piece of it. */
	UpstreamFailure without(KeyTrace trace) {
		return new UpstreamFailure(reason, status, code == null || trace.isIn(code) ? null : code,
				message == null || trace.isIn(message) ? null : message, retryAfter, keyVersion);
	}

	/** Failure to answer within the deadline. */
	public static UpstreamFailure timeout(long keyVersion) {
		return of(Reason.RESPONSE_TIMEOUT, keyVersion);
	}

	static UpstreamFailure of(Reason reason, long keyVersion) {
		return new UpstreamFailure(reason, 0, null, null, null, keyVersion);
	}
}
