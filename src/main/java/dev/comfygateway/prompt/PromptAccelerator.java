package dev.comfygateway.prompt;

import dev.comfygateway.cache.Lookup;
import dev.comfygateway.cache.PromptCache;
import dev.comfygateway.cache.RequestDirectives;
import dev.comfygateway.prompt.PromptMetrics.Result;
import dev.comfygateway.server.HeapBudget;
import dev.comfygateway.server.PreparedResponse;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpMethod;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;

/**
 * Accelerator of {@code /api/prompt}. It responds without Spring MVC, on the selector
 * thread if the result is in memory. Such a result is a fresh or stale answer, or the
 * failure of a cool-down. A caller that must wait for a fetch waits without a thread. A
 * request with a body or with cache directives is passed to the next handler, as is a
 * caller that must wait while there is no room to park its request. The response is
 * identical to the controller's, byte for byte.
 */
final class PromptAccelerator extends Handler.Wrapper {

	/**
	 * Every 256th request of a connection is handled on another thread. Otherwise a
	 * connection with continuous pipelining would occupy its selector thread.
	 */
	private static final int HANDOVER_INTERVAL = 256;

	private final PromptCache cache;

	private final WaitingCallers waitingCallers;

	private final HeapBudget heap;

	private final PromptRenderer renderer;

	private final PromptMetrics metrics;

	private volatile @Nullable Rendered last;

	PromptAccelerator(PromptCache cache, WaitingCallers waitingCallers, HeapBudget heap, PromptRenderer renderer,
			PromptMetrics metrics) {
		this.cache = cache;
		this.waitingCallers = waitingCallers;
		this.heap = heap;
		this.renderer = renderer;
		this.metrics = metrics;
	}

	/** This handler never blocks, and the handlers behind it use other threads. */
	@Override
	public InvocationType getInvocationType() {
		return InvocationType.NON_BLOCKING;
	}

	@Override
	public boolean handle(Request request, Response response, Callback callback) throws Exception {
		if (!isPlain(request)) {
			return super.handle(request, response, callback);
		}
		Exchange exchange = new Exchange(request, response, callback, System.nanoTime());
		if (request.getConnectionMetaData().getConnection().getMessagesIn() % HANDOVER_INTERVAL == 0) {
			exchange.execute(() -> respondOrPassOn(exchange));
			return true;
		}
		return respond(exchange) || super.handle(request, response, callback);
	}

	private void respondOrPassOn(Exchange exchange) throws Exception {
		if (!respond(exchange) && !super.handle(exchange.request, exchange.response, exchange.callback)) {
			Response.writeError(exchange.request, exchange.response, exchange.callback, 404);
		}
	}

	/** Returns whether the request needs no feature of Spring MVC. */
	private static boolean isPlain(Request request) {
		String method = request.getMethod();
		if (!(HttpMethod.GET.is(method) || HttpMethod.HEAD.is(method))
				|| !PromptController.PATH.equals(request.getHttpURI().getPath())) {
			return false;
		}
		for (HttpField field : request.getHeaders()) {
			HttpHeader header = field.getHeader();
			if (header != null) {
				switch (header) {
					case CACHE_CONTROL, PRAGMA, CONTENT_LENGTH, TRANSFER_ENCODING, EXPECT, UPGRADE -> {
						return false;
					}
					default -> {
					}
				}
			}
		}
		return true;
	}

	/**
	 * Responds now or after a fetch.
	 * @return false if the caller must wait, but there is no room to park the request
	 */
	private boolean respond(Exchange exchange) {
		Optional<Lookup> found = cache.lookupInMemory(RequestDirectives.NONE);
		if (found.isPresent()) {
			write(found.get(), exchange);
			return true;
		}
		Optional<Runnable> unpark = heap.park(exchange.request);
		unpark.ifPresent(action -> await(exchange.endingWith(action)));
		return unpark.isPresent();
	}

	private void await(Exchange exchange) {
		try {
			waitingCallers.join(() -> cache.lookup(RequestDirectives.NONE))
				.ifPresentOrElse(
						answer -> answer
							.whenComplete((lookup, unexpected) -> exchange.execute(() -> resume(lookup, exchange))),
						() -> reject(exchange));
		}
		catch (RuntimeException | Error unexpected) {
			exchange.fail(unexpected);
		}
	}

	/**
	 * Responds to a caller that has waited.
	 * @param lookup null after an unexpected exception, which the cache has logged
	 */
	private void resume(@Nullable Lookup lookup, Exchange exchange) {
		if (lookup == null) {
			write(PreparedResponse.of(renderer.bug()), Result.ERROR, exchange);
		}
		else {
			write(lookup, exchange);
		}
	}

	private void reject(Exchange exchange) {
		write(PreparedResponse.of(renderer.tooManyWaiting()), Result.REJECTED, exchange);
	}

	private void write(Lookup lookup, Exchange exchange) {
		write(render(lookup, exchange.request.getHeaders()), PromptRenderer.result(lookup), exchange);
	}

	private void write(PreparedResponse prepared, Result result, Exchange exchange) {
		metrics.count(result);
		prepared.write(exchange.response, exchange.callback);
		metrics.serverRequests(exchange.request.getMethod(), prepared.status())
			.record(System.nanoTime() - exchange.startNanos, TimeUnit.NANOSECONDS);
	}

	private PreparedResponse render(Lookup lookup, HttpFields request) {
		if (request.contains(HttpHeader.IF_NONE_MATCH)) {
			return PreparedResponse.of(renderer.render(lookup, request.getValuesList(HttpHeader.IF_NONE_MATCH)));
		}
		Rendered rendered = last;
		if (rendered == null || !PromptRenderer.rendersSame(rendered.lookup, lookup)) {
			// Age, ttl and Retry-After change once per second
			rendered = new Rendered(lookup, PreparedResponse.ofReused(renderer.render(lookup, List.of())));
			last = rendered;
		}
		return rendered.response;
	}

	private record Rendered(Lookup lookup, PreparedResponse response) {
	}

	/**
	 * Request with its response.
	 *
	 * @param startNanos time when the request arrived
	 */
	private record Exchange(Request request, Response response, Callback callback, long startNanos) {

		/** Returns an exchange that runs an action when it ends. */
		Exchange endingWith(Runnable action) {
			return new Exchange(request, response, Callback.from(action, callback), startNanos);
		}

		/**
		 * Executes a task on a thread of the server. The thread that completes a fetch
		 * belongs to a client or a timer, and must not write the responses of all
		 * callers.
		 */
		void execute(Task task) {
			Runnable guarded = () -> {
				try {
					task.run();
				}
				catch (Throwable unexpected) {
					fail(unexpected);
				}
			};
			try {
				request.getComponents().getExecutor().execute(guarded);
			}
			catch (RejectedExecutionException stopped) {
				guarded.run();
			}
		}

		void fail(Throwable unexpected) {
			Response.writeError(request, response, callback, unexpected);
		}

	}

	/** Task that may throw an exception. */
	private interface Task {

		void run() throws Exception;

	}

}
