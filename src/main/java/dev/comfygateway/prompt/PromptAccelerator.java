package dev.comfygateway.prompt;

import dev.comfygateway.cache.Lookup;
import dev.comfygateway.cache.PromptCache;
import dev.comfygateway.cache.RequestDirectives;
import dev.comfygateway.server.PreparedResponse;
import java.util.List;
import java.util.Optional;
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
 * Accelerator of {@code /api/prompt}. If the result is in memory, it responds on the
 * selector thread, without Spring MVC. Such a result is a fresh or stale answer, or the
 * failure of a cool-down. Every other request is passed to the next handler. The response
 * is identical to the controller's, byte for byte.
 */
final class PromptAccelerator extends Handler.Wrapper {

	/**
	 * Every 256th request of a connection is handled on another thread. Otherwise a
	 * connection with continuous pipelining would occupy its selector thread.
	 */
	private static final int HANDOVER_INTERVAL = 256;

	private final PromptCache cache;

	private final PromptRenderer renderer;

	private final PromptMetrics metrics;

	private volatile @Nullable Rendered last;

	PromptAccelerator(PromptCache cache, PromptRenderer renderer, PromptMetrics metrics) {
		this.cache = cache;
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
		if (request.getConnectionMetaData().getConnection().getMessagesIn() % HANDOVER_INTERVAL == 0) {
			request.getComponents().getExecutor().execute(() -> respondOrPassOn(request, response, callback));
			return true;
		}
		return respond(request, response, callback) || super.handle(request, response, callback);
	}

	private void respondOrPassOn(Request request, Response response, Callback callback) {
		try {
			if (!respond(request, response, callback) && !super.handle(request, response, callback)) {
				Response.writeError(request, response, callback, 404);
			}
		}
		catch (Throwable failure) {
			Response.writeError(request, response, callback, failure);
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

	private boolean respond(Request request, Response response, Callback callback) {
		long start = System.nanoTime();
		Optional<Lookup> found = cache.lookupInMemory(RequestDirectives.NONE);
		if (found.isEmpty()) {
			return false;
		}
		Lookup lookup = found.get();
		PreparedResponse prepared = render(lookup, request.getHeaders());
		metrics.count(PromptRenderer.result(lookup));
		prepared.write(response, callback);
		metrics.serverRequests(request.getMethod(), prepared.status())
			.record(System.nanoTime() - start, TimeUnit.NANOSECONDS);
		return true;
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

}
