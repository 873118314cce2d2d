package dev.comfygateway.server;

import dev.comfygateway.error.ErrorAnswer;
import java.util.List;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpHeaderValue;
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

	private final HeapBudget heap;

	private final ErrorAnswerHandler errors;

	/**
	 * Creates the handler.
	 * @param bulkheads asked in their order; the first one is that of probes, the last
	 * one takes every request
	 * @param heap where it is exhausted, only probes are served
	 */
	BulkheadHandler(List<Bulkhead> bulkheads, HeapBudget heap, ErrorAnswerHandler errors) {
		this.bulkheads = bulkheads;
		this.heap = heap;
		this.errors = errors;
	}

	@Override
	public InvocationType getInvocationType() {
		return InvocationType.NON_BLOCKING;
	}

	@Override
	public boolean handle(Request request, Response response, Callback callback) {
		Bulkhead bulkhead = bulkheadOf(request);
		if (bulkhead != bulkheads.getFirst() && heap.isExhausted()) {
			heap.refused();
			// A connection keeps the fields of its last request
			response.getHeaders().put(HttpHeader.CONNECTION, HttpHeaderValue.CLOSE);
			errors.write(ErrorAnswer.tooManyWaiting(), response, callback);
			return true;
		}
		bulkhead.execute(request, () -> handleBlocking(request, response, callback));
		return true;
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
		heap.enterThread();
		try {
			if (!super.handle(request, response, callback)) {
				Response.writeError(request, response, callback, 404);
			}
		}
		catch (Throwable failure) {
			Response.writeError(request, response, callback, failure);
		}
		finally {
			heap.leaveThread();
		}
	}

	@Override
	protected void doStop() throws Exception {
		bulkheads.forEach(Bulkhead::shutdown);
		super.doStop();
	}

}
