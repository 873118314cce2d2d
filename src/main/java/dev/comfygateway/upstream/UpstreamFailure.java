package dev.comfygateway.upstream;

import java.time.Duration;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Failure to get an answer from the upstream.
 *
 * @param reason what went wrong
 * @param status HTTP status of the upstream, or of an outbound proxy that refused the
 * tunnel; 0 if none arrived or it does not matter
 * @param code sanitized error code of the upstream; absent if it sent no valid one
 * @param message sanitized message of the upstream; absent if it sent no valid one
 * @param retryAfter pause that the upstream requested, at most 5 minutes; absent if it
 * requested none, or sent an invalid one
 * @param detail what operators need beside the reason: why a certificate was refused, or
 * the content type of an answer that is not JSON; sanitized, and absent otherwise
 * @param keyVersion version of the key that was sent
 */
public record UpstreamFailure(Reason reason, int status, @Nullable String code, @Nullable String message,
		@Nullable Duration retryAfter, @Nullable String detail, long keyVersion) implements UpstreamOutcome {

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
		if ((code != null && !ContractReader.isCode(code)) || (message != null && !ContractReader.isMessage(message))
				|| (detail != null && !ContractReader.isMessage(detail))) {
			throw new IllegalArgumentException("Text that cannot be passed on");
		}
	}

	/** Creates a failure without a detail. */
	public UpstreamFailure(Reason reason, int status, @Nullable String code, @Nullable String message,
			@Nullable Duration retryAfter, long keyVersion) {
		this(reason, status, code, message, retryAfter, null, keyVersion);
	}

	/**
	 * Status by which an outbound proxy refused the tunnel; absent for other failures.
	 */
	public OptionalInt proxyStatus() {
		return reason == Reason.TUNNEL_REFUSED ? OptionalInt.of(status) : OptionalInt.empty();
	}

	/** Copy without the texts that contain a piece of the key. */
	UpstreamFailure without(KeyTrace trace) {
		return new UpstreamFailure(reason, status, without(trace, code), without(trace, message), retryAfter,
				without(trace, detail), keyVersion);
	}

	private static @Nullable String without(KeyTrace trace, @Nullable String text) {
		return text == null || trace.isIn(text) ? null : text;
	}

	/**
	 * Copy with a detail, unless that contains a piece of the key or is no plain text.
	 */
	UpstreamFailure withDetail(@Nullable String text, KeyTrace trace) {
		boolean usable = text != null && ContractReader.isMessage(text) && !trace.isIn(text);
		return new UpstreamFailure(reason, status, code, message, retryAfter, usable ? text : null, keyVersion);
	}

	/** Failure to answer within the deadline. */
	public static UpstreamFailure timeout(long keyVersion) {
		return of(Reason.RESPONSE_TIMEOUT, keyVersion);
	}

	static UpstreamFailure of(Reason reason, long keyVersion) {
		return new UpstreamFailure(reason, 0, null, null, null, keyVersion);
	}
}
