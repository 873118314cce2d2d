package dev.comfygateway.upstream;

import dev.comfygateway.upstream.FailureReasons.Progress;
import dev.comfygateway.upstream.UpstreamHttpClientFactory.HandshakeFailures;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import org.eclipse.jetty.client.Connection;
import org.eclipse.jetty.client.Request;
import org.eclipse.jetty.client.Response;
import org.eclipse.jetty.io.EndPoint;
import org.jspecify.annotations.Nullable;
import org.springframework.http.client.reactive.ClientHttpRequest;

/**
 * Jetty request to the upstream. Tracks the progress of its response and closes its
 * connection. WebClient would leave the connection open once a response has begun.
 */
final class UpstreamExchange {

	private final HandshakeFailures handshakes;

	private volatile @Nullable Request request;

	private volatile long bytesBefore;

	private volatile boolean sent;

	private volatile boolean inputShutdown;

	private volatile boolean noTlsReceived;

	private volatile boolean closed;

	private volatile boolean keptAlive;

	UpstreamExchange(HandshakeFailures handshakes) {
		this.handshakes = handshakes;
	}

	/** Observes a request that is about to be sent. */
	void observe(ClientHttpRequest sending) {
		Request observed = sending.getNativeRequest();
		observed.onRequestBegin(this::began).onResponseFailure(this::failed);
		request = observed;
		if (closed) {
			close();
		}
	}

	private void began(Request begun) {
		if (begun.getConnection() instanceof org.eclipse.jetty.io.Connection connection) {
			// All bytes of a new connection belong to this response
			bytesBefore = connection.getMessagesIn() == 0 ? 0 : connection.getBytesIn();
		}
		sent = true;
	}

	/**
	 * Runs before Jetty closes the connection: if its input is shut down, the upstream
	 * has closed it.
	 */
	private void failed(Response response, Throwable failure) {
		if (response.getRequest().getConnection() instanceof org.eclipse.jetty.io.Connection connection) {
			EndPoint endPoint = connection.getEndPoint();
			inputShutdown = endPoint.isInputShutdown();
			noTlsReceived = endPoint instanceof EndPoint.Wrapper tls && tls.unwrap().getConnection().getBytesIn() == 0;
		}
	}

	/** Maps an exception to the reason for the failure. */
	Reason reason(Throwable thrown) {
		return FailureReasons.reason(cause(thrown), progress());
	}

	/** Returns the progress of the response. */
	private Progress progress() {
		Request current = request;
		if (!sent || current == null) {
			return Progress.NOT_CONNECTED;
		}
		if (current.getConnection() instanceof org.eclipse.jetty.io.Connection connection
				&& connection.getBytesIn() > bytesBefore) {
			return inputShutdown ? Progress.RESPONSE_CUT_OFF : Progress.RESPONSE_STARTED;
		}
		return noTlsReceived ? Progress.NO_TLS : Progress.NO_RESPONSE;
	}

	/**
	 * Returns the failure of the TLS handshake if there was one; otherwise the exception
	 * itself.
	 */
	Throwable cause(Throwable thrown) {
		Request current = request;
		Throwable handshake = current != null
				&& current.getConnection() instanceof org.eclipse.jetty.io.Connection connection
						? handshakes.of(connection.getEndPoint()) : null;
		return handshake == null ? thrown : handshake;
	}

	/** Keeps the connection open for the next request. */
	void keepAlive() {
		keptAlive = true;
	}

	/** Closes the connection even if it was kept open. */
	void closeKeptAlive() {
		keptAlive = false;
		close();
	}

	/**
	 * Aborts the request and closes its connection, unless the connection is kept open.
	 */
	void close() {
		closed = true;
		Request ending = request;
		if (ending != null && !keptAlive) {
			ending.abort(new ClosedException());
			Connection connection = ending.getConnection();
			if (connection != null) {
				connection.close();
			}
		}
	}

	/** Exception with which a request is aborted. */
	private static final class ClosedException extends RuntimeException {

		private static final long serialVersionUID = 1L;

		ClosedException() {
			super("Closed", null, false, false);
		}

	}

}
