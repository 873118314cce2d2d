package dev.comfygateway.upstream;

import java.time.Duration;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Failure of an upstream request.
 *
 * @param reason what failed
 * @param status HTTP status of the upstream, or of an outbound proxy that refused the
 * tunnel; 0 if none was received or it is irrelevant
 * @param code sanitized error code of the upstream; null if it sent no valid one
 * @param message sanitized message of the upstream; null if it sent no valid one
 * @param retryAfter pause that the upstream requested, up to 5 minutes; null if it sent
 * no valid {@code Retry-After}
 * @param detail sanitized details for operators: why a certificate was rejected, or the
 * content type of a response that is not JSON; null otherwise
 * @param keyVersion version of the key that the request was sent with
 */
public record UpstreamFailure(Reason reason, int status, @Nullable String code, @Nullable String message,
		@Nullable Duration retryAfter, @Nullable String detail, long keyVersion) implements UpstreamOutcome {

	/** Reason for a failure. */
	public enum Reason {

		/** 401: the key is refused. */
		UNAUTHORIZED,
		/** 403 in JSON: the key is not authorized for this request. */
		FORBIDDEN,
		/** 403 in another format: from a firewall, which does not check the key. */
		BLOCKED,
		/** 429. */
		RATE_LIMITED,
		/** 500. */
		INTERNAL_ERROR,
		/** 502, 503 or 504. */
		UNAVAILABLE,
		/** Any other status except 200. */
		UNEXPECTED_STATUS,
		/** 200 with a body that does not follow the contract or is too long. */
		INVALID_RESPONSE,
		/** Response that was cut off. */
		RESPONSE_INCOMPLETE,
		/** Response that is not valid HTTP. */
		PROTOCOL_ERROR,
		/** Connection refused, or not established for another reason. */
		CONNECTION_REFUSED,
		/** Connection closed before a response began. */
		CONNECTION_TERMINATED,
		/** Outbound proxy responded to CONNECT with a status other than 200. */
		TUNNEL_REFUSED,
		/** Host name without an address. */
		DNS_ERROR,
		/** TLS handshake failed. */
		TLS_PROTOCOL_ERROR,
		/** Certificate is not trusted. */
		TLS_CERTIFICATE_ERROR,
		/** No connection within the connect timeout. */
		CONNECTION_TIMEOUT,
		/** No complete response within the deadline. */
		RESPONSE_TIMEOUT;

		/**
		 * Returns whether the upstream refuses the key, which only the gateway's operator
		 * can fix.
		 */
		public boolean isKeyRefused() {
			return this == UNAUTHORIZED || this == FORBIDDEN;
		}

	}

	public UpstreamFailure {
		if ((code != null && !ContractReader.isCode(code)) || (message != null && !ContractReader.isMessage(message))
				|| (detail != null && !ContractReader.isMessage(detail))) {
			throw new IllegalArgumentException("code, message or detail is not sanitized");
		}
	}

	/** Creates a failure without a detail. */
	public UpstreamFailure(Reason reason, int status, @Nullable String code, @Nullable String message,
			@Nullable Duration retryAfter, long keyVersion) {
		this(reason, status, code, message, retryAfter, null, keyVersion);
	}

	/**
	 * Returns the status with which an outbound proxy refused the tunnel; empty for other
	 * failures.
	 */
	public OptionalInt proxyStatus() {
		return reason == Reason.TUNNEL_REFUSED ? OptionalInt.of(status) : OptionalInt.empty();
	}

	/** Returns a copy without the texts that contain a piece of the key. */
	UpstreamFailure redact(KeyDetector detector) {
		return new UpstreamFailure(reason, status, redact(detector, code), redact(detector, message), retryAfter,
				redact(detector, detail), keyVersion);
	}

	private static @Nullable String redact(KeyDetector detector, @Nullable String text) {
		return text == null || detector.isKeyIn(text) ? null : text;
	}

	/**
	 * Returns a copy with a detail, unless the detail contains a piece of the key or is
	 * not plain text.
	 */
	UpstreamFailure withDetail(@Nullable String text, KeyDetector detector) {
		boolean usable = text != null && ContractReader.isMessage(text) && !detector.isKeyIn(text);
		return new UpstreamFailure(reason, status, code, message, retryAfter, usable ? text : null, keyVersion);
	}

	/** Creates a failure for a response that is not complete within the deadline. */
	public static UpstreamFailure timeout(long keyVersion) {
		return of(Reason.RESPONSE_TIMEOUT, keyVersion);
	}

	static UpstreamFailure of(Reason reason, long keyVersion) {
		return new UpstreamFailure(reason, 0, null, null, null, keyVersion);
	}
}
