package dev.comfygateway.upstream;

import dev.comfygateway.upstream.Faults.Progress;
import dev.comfygateway.upstream.UpstreamConnections.HandshakeFailures;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import org.eclipse.jetty.client.Connection;
import org.eclipse.jetty.client.Request;
import org.eclipse.jetty.client.Response;
import org.eclipse.jetty.io.EndPoint;
import org.jspecify.annotations.Nullable;
import org.springframework.http.client.reactive.ClientHttpRequest;

/**
 * One request to the upstream as Jetty sees it: how far its answer came, and the end of
 * its connection, which WebClient alone would leave open once an answer has begun.
 */
final class UpstreamExchange {

	private final HandshakeFailures handshakes;

	private volatile @Nullable Request request;

	private volatile long bytesBefore;

	private volatile boolean sent;

	private volatile boolean ended;

	private volatile boolean silent;

	private volatile boolean closed;

	private volatile boolean kept;

	UpstreamExchange(HandshakeFailures handshakes) {
		this.handshakes = handshakes;
	}

	/** Follows the request from now on. */
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
			// What a new connection brought is of this answer, however early it came
			bytesBefore = connection.getMessagesIn() == 0 ? 0 : connection.getBytesIn();
		}
		sent = true;
	}

	/**
	 * Is called before Jetty closes the connection: if it has ended, the upstream ended
	 * it.
	 */
	private void failed(Response response, Throwable failure) {
		if (response.getRequest().getConnection() instanceof org.eclipse.jetty.io.Connection connection) {
			EndPoint endPoint = connection.getEndPoint();
			ended = endPoint.isInputShutdown();
			silent = endPoint instanceof EndPoint.Wrapper tls && tls.unwrap().getConnection().getBytesIn() == 0;
		}
	}

	/** Reason for which the response did not come whole. */
	Reason reason(Throwable thrown) {
		return Faults.reason(cause(thrown), progress());
	}

	/** How far the response came. */
	private Progress progress() {
		Request asked = request;
		if (!sent || asked == null) {
			return Progress.NOT_CONNECTED;
		}
		if (asked.getConnection() instanceof org.eclipse.jetty.io.Connection connection
				&& connection.getBytesIn() > bytesBefore) {
			return ended ? Progress.ANSWER_CUT_OFF : Progress.ANSWER_BEGUN;
		}
		return silent ? Progress.NO_TLS : Progress.NO_ANSWER;
	}

	/**
	 * The failure of the TLS handshake where there was one, else the exception itself.
	 */
	private Throwable cause(Throwable thrown) {
		Request asked = request;
		Throwable handshake = asked != null
				&& asked.getConnection() instanceof org.eclipse.jetty.io.Connection connection
						? handshakes.of(connection.getEndPoint()) : null;
		return handshake == null ? thrown : handshake;
	}

	/** Leaves the connection to the next request. */
	void keep() {
		kept = true;
	}

	/** Ends the connection where it was kept, since no next request will come. */
	void closeKept() {
		kept = false;
		close();
	}

	/** Ends the request and its connection, whatever their state, unless it is kept. */
	void close() {
		closed = true;
		Request ending = request;
		if (ending != null && !kept) {
			ending.abort(new ClosedException());
			Connection connection = ending.getConnection();
			if (connection != null) {
				connection.close();
			}
		}
	}

	/** Reason why a request ended that nobody waits for any more. */
	private static final class ClosedException extends RuntimeException {

		private static final long serialVersionUID = 1L;

		ClosedException() {
			super("Closed", null, false, false);
		}

	}

}
