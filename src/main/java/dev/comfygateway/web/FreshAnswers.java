package dev.comfygateway.web;

import dev.comfygateway.cache.Lookup;
import dev.comfygateway.cache.PromptCache;
import dev.comfygateway.cache.RequestDirectives;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpMethod;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.http.PreEncodedHttpField;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;

/**
 * Accelerator of {@code /api/prompt}. It answers on the selector's thread, without Spring
 * MVC, where the answer is in memory. Every other request passes through. The controller
 * gives the same answers, byte for byte.
 */
final class FreshAnswers extends Handler.Wrapper {

	/**
	 * Consecutive answers to one connection on the selector's thread. Otherwise a
	 * connection that pipelines without pause would occupy that thread.
	 */
	private static final int MAX_CONSECUTIVE = 256;

	private final PromptCache cache;

	private final PromptAnswers answers;

	private final PromptMetrics metrics;

	private volatile @Nullable Rendered last;

	FreshAnswers(PromptCache cache, PromptAnswers answers, PromptMetrics metrics) {
		this.cache = cache;
		this.answers = answers;
		this.metrics = metrics;
	}

	/** This handler never blocks, and those behind it use other threads. */
	@Override
	public InvocationType getInvocationType() {
		return InvocationType.NON_BLOCKING;
	}

	@Override
	public boolean handle(Request request, Response response, Callback callback) throws Exception {
		if (!isPlain(request)) {
			return super.handle(request, response, callback);
		}
		if (request.getConnectionMetaData().getConnection().getMessagesIn() % MAX_CONSECUTIVE == 0) {
			request.getComponents().getExecutor().execute(() -> answerOrPassOn(request, response, callback));
			return true;
		}
		return answer(request, response, callback) || super.handle(request, response, callback);
	}

	private void answerOrPassOn(Request request, Response response, Callback callback) {
		try {
			if (!answer(request, response, callback) && !super.handle(request, response, callback)) {
				Response.writeError(request, response, callback, 404);
			}
		}
		catch (Throwable failure) {
			Response.writeError(request, response, callback, failure);
		}
	}

	/** Whether the request needs no feature of Spring MVC. */
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

	private boolean answer(Request request, Response response, Callback callback) {
		long start = System.nanoTime();
		Optional<Lookup> found = cache.lookupInMemory(RequestDirectives.NONE);
		if (found.isEmpty()) {
			return false;
		}
		Lookup lookup = found.get();
		Rendered rendered = render(lookup, request.getHeaders());
		metrics.count(PromptAnswers.result(lookup));
		rendered.write(response, callback);
		metrics.serverRequests(request.getMethod(), rendered.status)
			.record(System.nanoTime() - start, TimeUnit.NANOSECONDS);
		return true;
	}

	private Rendered render(Lookup lookup, HttpFields request) {
		if (request.contains(HttpHeader.IF_NONE_MATCH) || !(lookup instanceof Lookup.Stored stored)) {
			return rendered(null, answers.render(lookup, request.getValuesList(HttpHeader.IF_NONE_MATCH)));
		}
		Rendered remembered = last;
		if (remembered != null && remembered.isOf(stored)) {
			return remembered;
		}
		// Age and ttl change once per second
		Rendered rendered = rendered(stored, answers.render(stored, List.of()));
		last = rendered;
		return rendered;
	}

	private Rendered rendered(Lookup.@Nullable Stored lookup, ResponseEntity<byte[]> answer) {
		List<HttpField> fields = new ArrayList<>();
		answer.getHeaders()
			.forEach((name, values) -> values.forEach(value -> fields.add(new PreEncodedHttpField(name, value))));
		byte[] body = answer.getBody();
		return new Rendered(lookup, answer.getStatusCode().value(), fields.toArray(HttpField[]::new),
				body == null ? BufferUtil.EMPTY_BUFFER : buffer(body, lookup != null));
	}

	/**
	 * Buffer of a body. One that is reused is direct, since each write copies a heap
	 * buffer to a direct one.
	 */
	private static ByteBuffer buffer(byte[] body, boolean reused) {
		return reused ? ByteBuffer.allocateDirect(body.length).put(body).flip() : ByteBuffer.wrap(body);
	}

	/**
	 * Rendered answer, as Jetty writes it.
	 *
	 * @param lookup lookup that it renders; absent where it must not be reused
	 */
	private record Rendered(Lookup.@Nullable Stored lookup, int status, HttpField[] fields, ByteBuffer body) {

		boolean isOf(Lookup.Stored other) {
			return lookup != null && PromptAnswers.rendersSame(lookup, other);
		}

		void write(Response response, Callback callback) {
			response.setStatus(status);
			HttpFields.Mutable headers = response.getHeaders();
			for (HttpField field : fields) {
				headers.add(field);
			}
			// Jetty adds Content-Length to a last write, and a 304 has none
			response.write(status != HttpStatus.NOT_MODIFIED_304, body.slice(), callback);
		}

	}

}
