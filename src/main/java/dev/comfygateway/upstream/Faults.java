package dev.comfygateway.upstream;

import dev.comfygateway.upstream.UpstreamFailure.Reason;
import java.io.IOException;
import java.net.ConnectException;
import java.net.ProtocolException;
import java.net.UnknownHostException;
import java.net.http.HttpConnectTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.springframework.core.io.buffer.DataBufferLimitException;

/**
 * Translation of what the HTTP client throws; its messages are never read by anybody
 * else.
 */
final class Faults {

	private Faults() {
	}

	/** Reason for which no answer began, or not even its headers came whole. */
	static Reason beforeAnswer(Throwable thrown) {
		if (has(thrown, HttpConnectTimeoutException.class)) {
			return Reason.CONNECTION_TIMEOUT;
		}
		if (has(thrown, UnresolvedAddressException.class) || has(thrown, UnknownHostException.class)) {
			return Reason.DNS_ERROR;
		}
		if (has(thrown, CertificateException.class) || has(thrown, CertPathValidatorException.class)) {
			return Reason.TLS_CERTIFICATE_ERROR;
		}
		if (has(thrown, SSLException.class)) {
			return Reason.TLS_PROTOCOL_ERROR;
		}
		if (has(thrown, ConnectException.class)) {
			return Reason.CONNECTION_REFUSED;
		}
		// The second is a header's number that is none, or a status beyond all statuses
		if (has(thrown, ProtocolException.class) || has(thrown, IllegalArgumentException.class)) {
			return Reason.PROTOCOL_ERROR;
		}
		return endedInHeaders(thrown) ? Reason.RESPONSE_INCOMPLETE : Reason.CONNECTION_TERMINATED;
	}

	/** Reason for which the body of a 200 could not be read. */
	static Reason inAnswer(Throwable thrown) {
		if (has(thrown, DataBufferLimitException.class)) {
			return Reason.INVALID_RESPONSE;
		}
		return has(thrown, ProtocolException.class) ? Reason.PROTOCOL_ERROR : Reason.RESPONSE_INCOMPLETE;
	}

	/**
	 * Whether the answer had begun. Only the message tells; another one would count as an
	 * answer that had not.
	 */
	private static boolean endedInHeaders(Throwable thrown) {
		for (@Nullable
		Throwable t = thrown; t != null; t = t.getCause()) {
			String message = t.getMessage();
			if (t instanceof IOException && message != null && message.startsWith("parsing HTTP/1.1 ")) {
				return true;
			}
		}
		return false;
	}

	private static boolean has(Throwable thrown, Class<? extends Throwable> type) {
		for (@Nullable
		Throwable t = thrown; t != null; t = t.getCause()) {
			if (type.isInstance(t)) {
				return true;
			}
		}
		return false;
	}

}
