package dev.comfygateway.server;

import java.util.List;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpHeaderValue;
import org.eclipse.jetty.http.HttpMethod;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * Hand-over of requests from Jetty's selectors to threads that may block. Each kind of
 * request has a {@link Bulkhead} of its own, so that none can take the threads of
 * another.
 */
final class BulkheadHandler extends Handler.Wrapper {

	private final List<Bulkhead> bulkheads;

	/**
	 * Creates the handler.
	 * @param bulkheads asked in their order; the last one takes every request
	 */
	BulkheadHandler(List<Bulkhead> bulkheads) {
		this.bulkheads = bulkheads;
	}

	@Override
	public InvocationType getInvocationType() {
		return InvocationType.NON_BLOCKING;
	}

	@Override
	public boolean handle(Request request, Response response, Callback callback) {
		if (BodyDrain.hasComeWhole(request)) {
			handOver(request, response, callback);
		}
		else {
			// Nothing here has a use for a body, and nobody waits for one
			response.getHeaders().put(HttpHeader.CONNECTION, HttpHeaderValue.CLOSE);
			handOver(new WithoutBody(request), response, new BodyDrain(request, callback));
		}
		return true;
	}

	private void handOver(Request request, Response response, Callback callback) {
		if (HttpMethod.TRACE.is(request.getMethod())) {
			// A servlet would send the caller's own words back
			Response.writeError(request, response, callback, 405);
			return;
		}
		bulkheadOf(request).execute(request, () -> handleBlocking(request, response, callback));
	}

	private Bulkhead bulkheadOf(Request request) {
		for (Bulkhead bulkhead : bulkheads) {
			if (bulkhead.isFor(request)) {
				return bulkhead;
			}
		}
		return bulkheads.getLast();
	}

	private void handleBlocking(Request request, Response response, Callback callback) {
		try {
			if (!super.handle(request, response, callback)) {
				Response.writeError(request, response, callback, 404);
			}
		}
		catch (Throwable failure) {
			Response.writeError(request, response, callback, failure);
		}
	}

	@Override
	protected void doStop() throws Exception {
		bulkheads.forEach(Bulkhead::shutdown);
		super.doStop();
	}

	/** Request whose body has not come whole, taken for empty. */
	private static final class WithoutBody extends Request.Wrapper {

		WithoutBody(Request request) {
			super(request);
		}

		@Override
		public Content.Chunk read() {
			return Content.Chunk.EOF;
		}

		@Override
		public void demand(Runnable demandCallback) {
			demandCallback.run();
		}

		@Override
		public boolean consumeAvailable() {
			return true;
		}

	}

}
