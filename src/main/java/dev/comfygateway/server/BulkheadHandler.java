package dev.comfygateway.server;

import java.util.List;
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
		bulkheadOf(request).execute(request, () -> handleBlocking(request, response, callback));
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

}
