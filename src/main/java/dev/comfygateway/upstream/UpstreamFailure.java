package dev.comfygateway.upstream;

import java.time.Duration;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Failure to get an answer from the upstream.
 *
 * @param reason what went wrong
 * @param status HTTP status of the upstream, or of an outbound proxy that refused the
 * tunnel; 0 where none arrived or it does not matter
 * @param code sanitized error code of the upstream; absent where it sent no valid one
 * @param message sanitized message of the upstream; absent where it sent no valid one
 * @param retryAfter pause that the upstream requested, at most 5 minutes; absent where it
 * requested none, or sent an invalid one
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
		/** 403 in another format: a firewall on the way, which checks no key. */
		BLOCKED,
		/** 429. */
		RATE_LIMITED,
		/** 500. */
		INTERNAL_ERROR,
		/** 502, 503 or 504. */
		UNAVAILABLE,
		/** Any other status but 200. */
		UNEXPECTED_STATUS,
		/** 200 with a body that does not follow the contract or is too long. */
		INVALID_RESPONSE,
		/** 200, and the body was cut off. */
		RESPONSE_INCOMPLETE,
		/** A response that is not HTTP. */
		PROTOCOL_ERROR,
		/** No connection. */
		CONNECTION_REFUSED,
		/** Connection closed before an answer began. */
		CONNECTION_TERMINATED,
		/** An outbound proxy answered CONNECT with another status than 200. */
		TUNNEL_REFUSED,
		/** No address for the host name. */
		DNS_ERROR,
		/** TLS handshake failed. */
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

	/** Copy without a code or a message that contains a piece of the key. */
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
