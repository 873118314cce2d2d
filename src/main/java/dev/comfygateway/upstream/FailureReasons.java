package dev.comfygateway.upstream;

import dev.comfygateway.upstream.UpstreamFailure.Reason;
import java.io.EOFException;
import java.io.IOException;
import java.net.ProtocolException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.UnresolvedAddressException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;
import org.eclipse.jetty.client.HttpResponseException;
import org.jspecify.annotations.Nullable;
import org.springframework.core.io.buffer.DataBufferLimitException;

/**
 * Mapping of the HTTP client's exceptions to reasons. Messages of exceptions are never
 * passed on.
 */
final class FailureReasons {

	private FailureReasons() {
	}

	/** Maps an exception to the reason for the failure. */
	static Reason reason(Throwable thrown, Progress progress) {
		if (has(thrown, DataBufferLimitException.class)) {
			return Reason.INVALID_RESPONSE;
		}
		return switch (progress) {
			case NOT_CONNECTED -> connecting(thrown);
			case NO_RESPONSE -> waiting(thrown);
			case RESPONSE_STARTED -> reading(thrown);
			case NO_TLS -> timedOutOr(Reason.CONNECTION_TERMINATED, thrown);
			case RESPONSE_CUT_OFF -> Reason.RESPONSE_INCOMPLETE;
		};
	}

	private static Reason connecting(Throwable thrown) {
		// TimeoutException is the resolver's: no other timer runs before there is a
		// connection
		if (has(thrown, SocketTimeoutException.class) || has(thrown, TimeoutException.class)) {
			return Reason.CONNECTION_TIMEOUT;
		}
		if (has(thrown, UnresolvedAddressException.class) || has(thrown, UnknownHostException.class)) {
			return Reason.DNS_ERROR;
		}
		Reason tls = tls(thrown);
		if (tls != null) {
			return tls;
		}
		// The following failures occur on the connection to an outbound proxy, before its
		// tunnel
		if (proxyStatus(thrown) > 0) {
			return Reason.TUNNEL_REFUSED;
		}
		if (has(thrown, HttpResponseException.class)) {
			return Reason.PROTOCOL_ERROR;
		}
		return has(thrown, EOFException.class) || has(thrown, ClosedChannelException.class)
				? Reason.CONNECTION_TERMINATED : Reason.CONNECTION_REFUSED;
	}

	/**
	 * Returns the status with which an outbound proxy refused a tunnel; 0 for other
	 * failures.
	 */
	static int proxyStatus(Throwable thrown) {
		HttpResponseException refused = find(thrown, HttpResponseException.class);
		// An exception with a cause is Jetty's parse error
		return refused == null || refused.getCause() != null ? 0 : refused.getResponse().getStatus();
	}

	/** Returns why a certificate was rejected; null if that is unknown. */
	static @Nullable String certificate(Throwable thrown) {
		RefusedCertificateException refused = find(thrown, RefusedCertificateException.class);
		return refused == null ? null : refused.detail();
	}

	private static Reason waiting(Throwable thrown) {
		if (has(thrown, SocketException.class)) {
			return Reason.CONNECTION_TERMINATED;
		}
		Reason tls = tls(thrown);
		if (tls != null) {
			return tls;
		}
		return timedOutOr(Reason.CONNECTION_TERMINATED, thrown);
	}

	private static Reason reading(Throwable thrown) {
		// Jetty reports parse errors with many exception types, those of a body with
		// EOFException
		boolean lost = has(thrown, IOException.class) && !has(thrown, EOFException.class)
				&& !has(thrown, ProtocolException.class);
		return timedOutOr(lost ? Reason.RESPONSE_INCOMPLETE : Reason.PROTOCOL_ERROR, thrown);
	}

	private static Reason timedOutOr(Reason reason, Throwable thrown) {
		return has(thrown, TimeoutException.class) ? Reason.RESPONSE_TIMEOUT : reason;
	}

	private static @Nullable Reason tls(Throwable thrown) {
		if (has(thrown, CertificateException.class) || has(thrown, CertPathValidatorException.class)) {
			return Reason.TLS_CERTIFICATE_ERROR;
		}
		return has(thrown, SSLException.class) ? Reason.TLS_PROTOCOL_ERROR : null;
	}

	private static boolean has(Throwable thrown, Class<? extends Throwable> type) {
		return find(thrown, type) != null;
	}

	private static <T extends Throwable> @Nullable T find(Throwable thrown, Class<T> type) {
		for (@Nullable
		Throwable t = thrown; t != null; t = t.getCause()) {
			if (type.isInstance(t)) {
				return type.cast(t);
			}
		}
		return null;
	}

	/** Progress of a response. */
	enum Progress {

		/** There was no connection. */
		NOT_CONNECTED,
		/** The request was sent, and no byte was received. */
		NO_RESPONSE,
		/** No byte of TLS was received. */
		NO_TLS,
		/** A part of the response was received. */
		RESPONSE_STARTED,
		/**
		 * A part of the response was received, and the upstream closed the connection.
		 */
		RESPONSE_CUT_OFF

	}

}
