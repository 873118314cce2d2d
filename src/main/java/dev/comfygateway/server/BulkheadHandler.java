package dev.comfygateway.server;

import dev.comfygateway.error.GatewayError;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.eclipse.jetty.io.EofException;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * Handler that dispatches requests from Jetty's selectors to threads that may block. Each
 * {@link Lane} has a separate {@link Bulkhead}, so that no lane can exhaust the threads
 * of another.
 */
final class BulkheadHandler extends Handler.Wrapper {

	private static final Endpoint OTHER = new Endpoint(path -> true, Lane.OTHER, false);

	private final Map<Lane, Bulkhead> bulkheads;

	private final List<Endpoint> endpoints;

	private final HeapBudget heap;

	private final ErrorResponseHandler errors;

	/**
	 * Creates the handler.
	 * @param bulkheads one per lane
	 * @param endpoints endpoints that determine the lane of a path; the first match
	 * applies
	 * @param heap budget; while it is exhausted, only probes are dispatched
	 */
	BulkheadHandler(Map<Lane, Bulkhead> bulkheads, List<Endpoint> endpoints, HeapBudget heap,
			ErrorResponseHandler errors) {
		this.bulkheads = bulkheads;
		this.endpoints = endpoints;
		this.heap = heap;
		this.errors = errors;
	}

	@Override
	public InvocationType getInvocationType() {
		return InvocationType.NON_BLOCKING;
	}

	@Override
	public boolean handle(Request request, Response response, Callback callback) {
		Endpoint endpoint = endpointOf(Request.getPathInContext(request));
		Bulkhead bulkhead = Objects.requireNonNull(bulkheads.get(endpoint.lane()));
		boolean hasRoom = endpoint.lane() == Lane.PROBE || heap.tryMakeRoom();
		if (!hasRoom) {
			heap.countRejection();
		}
		if (!hasRoom || !bulkhead.execute(request, () -> handleBlocking(request, response, callback))) {
			endpoint.onRejected().accept(request);
			// The connection is closed, since it occupies heap as well
			errors.write(GatewayError.tooManyWaiting(), response, BodyDrain.andClose(request, response, callback));
		}
		return true;
	}

	private Endpoint endpointOf(String path) {
		return endpoints.stream().filter(endpoint -> endpoint.contains(path)).findFirst().orElse(OTHER);
	}

	private void handleBlocking(Request request, Response response, Callback callback) {
		if (Http2.isStreamClosed(request)) {
			callback.failed(new EofException("The stream is reset or closed"));
			return;
		}
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
		bulkheads.values().forEach(Bulkhead::shutdown);
		super.doStop();
	}

}
