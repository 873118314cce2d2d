package dev.comfygateway.server;

import dev.comfygateway.error.GatewayError;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.http2.ErrorCode;
import org.eclipse.jetty.http2.HTTP2Stream;
import org.eclipse.jetty.http2.frames.ResetFrame;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * Handler for HTTP/2 requests. It meters the stream, drains the request body, and rejects
 * heads that are too long. While the heap limit is reached, a connection may have one
 * stream, and further streams get 503. If their body is incomplete, or if any stream of
 * the connection is stalled, they are reset with {@code REFUSED_STREAM} instead, so that
 * a proxy may retry them.
 */
final class Http2StreamHandler extends Handler.Wrapper {

	private final HeapBudget heap;

	private final ErrorResponseHandler errors;

	Http2StreamHandler(HeapBudget heap, ErrorResponseHandler errors) {
		this.heap = heap;
		this.errors = errors;
	}

	@Override
	public boolean handle(Request request, Response response, Callback callback) throws Exception {
		MeteredEndPoint endPoint = MeteredEndPoint.of(request.getConnectionMetaData().getConnection().getEndPoint());
		Http2StreamMeter streams = endPoint == null ? null : endPoint.streams();
		if (endPoint == null || streams == null) {
			return super.handle(request, response, callback);
		}
		if (!heap.tryMakeRoom() && streams.open() > 0) {
			heap.countRejection();
			// Frames of an incomplete body would be queued until the response is read
			if (BodyDrain.discardAvailable(request)
					&& Http2.stalled(request.getConnectionMetaData().getConnection()).isEmpty()) {
				errors.write(GatewayError.tooManyWaiting(), response, callback);
			}
			else {
				reject(request, response, callback);
			}
			return true;
		}
		HeadSize head = HeadSize.of(request);
		Callback metered = new Metered(endPoint, streams, head.heapBytes(), callback);
		try {
			return handleMetered(request, head, response, metered);
		}
		catch (Throwable failure) {
			// Jetty would complete its own callback, and the stream would stay charged
			Response.writeError(request, response, metered, failure);
			return true;
		}
	}

	private boolean handleMetered(Request request, HeadSize head, Response response, Callback metered)
			throws Exception {
		HTTP2Stream stream = BodyDrain.discardAvailable(request) ? null : Http2.stream(request);
		if (stream == null) {
			return handleWithoutBody(request, head, response, metered);
		}
		Http2BodyDrain drain = new Http2BodyDrain(request, response, stream, metered);
		drain.drain();
		return handleWithoutBody(new WithoutBody(request), head, response, drain);
	}

	private boolean handleWithoutBody(Request request, HeadSize head, Response response, Callback callback)
			throws Exception {
		int max = Http2.maxHead(request);
		if (head.http1Length() > max) {
			errors.write(GatewayError.ofStatus(
					head.target() > max ? HttpStatus.URI_TOO_LONG_414 : HttpStatus.REQUEST_HEADER_FIELDS_TOO_LARGE_431),
					response, callback);
			return true;
		}
		return super.handle(request, response, callback);
	}

	/** Resets the stream without a response, which the caller would not read. */
	private static void reject(Request request, Response response, Callback callback) {
		HTTP2Stream stream = Http2.stream(request);
		if (stream != null) {
			stream.reset(new ResetFrame(stream.getId(), ErrorCode.REFUSED_STREAM_ERROR.code), Callback.NOOP);
		}
		response.setStatus(HttpStatus.SERVICE_UNAVAILABLE_503);
		callback.succeeded();
	}

	/** Callback of a request that charges its stream until the request ends. */
	private static final class Metered extends Callback.Nested {

		private final MeteredEndPoint endPoint;

		private final Http2StreamMeter streams;

		private final int head;

		Metered(MeteredEndPoint endPoint, Http2StreamMeter streams, int head, Callback callback) {
			super(callback);
			this.endPoint = endPoint;
			this.streams = streams;
			this.head = head;
			endPoint.requestBegins(streams.open(head));
		}

		@Override
		public void completed() {
			endPoint.requestEnded(streams.close(head));
		}

	}

}
