package dev.comfygateway.server;

import dev.comfygateway.error.GatewayError;
import java.util.concurrent.atomic.AtomicReference;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.http.HttpVersion;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * Handler that meters the heads of requests, and rejects some that Jetty accepts. It
 * closes the connection of a rejected request.
 */
final class HeadHandler extends Handler.Wrapper {

	/** Maximum number of fields. Even a short field uses 120 bytes of heap. */
	private static final int MAX_FIELDS = 100;

	private final ErrorResponseHandler errors;

	HeadHandler(ErrorResponseHandler errors) {
		this.errors = errors;
	}

	@Override
	public boolean handle(Request request, Response response, Callback callback) throws Exception {
		MeteredEndPoint endPoint = MeteredEndPoint.of(request.getConnectionMetaData().getConnection().getEndPoint());
		if (endPoint == null || endPoint.streams() != null) {
			return handleMetered(request, response, callback);
		}
		HeadSize head = HeadSize.of(request);
		endPoint.recordHead(head);
		Metered metered = new Metered(endPoint, head, callback);
		try {
			if (!handleMetered(request, response, metered)) {
				Response.writeError(request, response, metered, HttpStatus.NOT_FOUND_404);
			}
		}
		catch (Throwable failure) {
			// Jetty would complete its own callback, and the request would stay charged
			Response.writeError(request, response, metered, failure);
		}
		metered.chargeInProgress();
		return true;
	}

	private boolean handleMetered(Request request, Response response, Callback callback) throws Exception {
		HttpFields fields = request.getHeaders();
		if (fields.size() > MAX_FIELDS) {
			reject(HttpStatus.REQUEST_HEADER_FIELDS_TOO_LARGE_431, request, response, callback);
			return true;
		}
		if (request.getConnectionMetaData().getHttpVersion() == HttpVersion.HTTP_1_0
				&& fields.contains(HttpHeader.TRANSFER_ENCODING)) {
			// RFC 9112 section 6.1 requires its framing to be treated as faulty
			reject(HttpStatus.BAD_REQUEST_400, request, response, callback);
			return true;
		}
		return super.handle(request, response, callback);
	}

	private void reject(int status, Request request, Response response, Callback callback) {
		errors.write(GatewayError.ofStatus(status), response, BodyDrain.andClose(request, response, callback));
	}

	/**
	 * Callback of an HTTP/1.1 request. A request that is still in progress when its
	 * handler returns is charged until it ends. Most requests have ended by then, and
	 * would only contend for the counters.
	 */
	private static final class Metered extends Callback.Nested {

		private final MeteredEndPoint endPoint;

		private final HeadSize head;

		/** Bytes that are charged. */
		private int heapBytes;

		private final AtomicReference<State> state = new AtomicReference<>(State.NOT_CHARGED);

		Metered(MeteredEndPoint endPoint, HeadSize head, Callback callback) {
			super(callback);
			this.endPoint = endPoint;
			this.head = head;
		}

		void chargeInProgress() {
			if (state.get() == State.ENDED) {
				return;
			}
			heapBytes = head.requestBytes() + endPoint.bufferBytes();
			if (state.compareAndSet(State.NOT_CHARGED, State.CHARGED)) {
				endPoint.requestBegins(heapBytes);
			}
		}

		@Override
		public void completed() {
			if (state.getAndSet(State.ENDED) == State.CHARGED) {
				endPoint.requestEnded(-heapBytes);
			}
		}

		private enum State {

			NOT_CHARGED, CHARGED, ENDED

		}

	}

}
