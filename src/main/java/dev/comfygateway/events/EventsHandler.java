package dev.comfygateway.events;

import dev.comfygateway.error.GatewayError;
import dev.comfygateway.server.Abort;
import dev.comfygateway.server.PreparedResponse;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;
import java.util.Optional;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpMethod;
import org.eclipse.jetty.http.HttpVersion;
import org.eclipse.jetty.http.PreEncodedHttpField;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.Callback;

/**
 * Handler of {@code /api/prompt/events}. It precedes Spring MVC, since a stream must not
 * occupy a thread.
 */
final class EventsHandler extends Handler.Wrapper {

	static final String PATH = "/api/prompt/events";

	private static final HttpField CONTENT_TYPE = new PreEncodedHttpField(HttpHeader.CONTENT_TYPE, "text/event-stream");

	private static final HttpField NO_STORE = new PreEncodedHttpField(HttpHeader.CACHE_CONTROL, "no-store");

	/** Otherwise nginx would buffer the events. */
	private static final HttpField NO_BUFFERING = new PreEncodedHttpField("X-Accel-Buffering", "no");

	/**
	 * SO_SNDBUF and SO_RCVBUF, which Linux doubles. With the default of up to 4 MiB, the
	 * kernel would buffer hours of events for a listener that does not read. Whatever a
	 * listener sends is not read before the stream ends.
	 */
	private static final int SOCKET_BUFFER_SIZE = 4096;

	private final EventStream stream;

	private final String gatewayName;

	private final ListenerLimit limit;

	EventsHandler(EventStream stream, String gatewayName, ListenerLimit limit) {
		this.stream = stream;
		this.limit = limit;
		this.gatewayName = gatewayName;
	}

	@Override
	public InvocationType getInvocationType() {
		return InvocationType.NON_BLOCKING;
	}

	@Override
	public boolean handle(Request request, Response response, Callback callback) throws Exception {
		if (!PATH.equals(Request.getPathInContext(request))) {
			return super.handle(request, response, callback);
		}
		String method = request.getMethod();
		if (HttpMethod.OPTIONS.is(method)) {
			writeNothing(response, callback);
		}
		else if (HttpMethod.GET.is(method) || HttpMethod.HEAD.is(method)) {
			listen(request, response, callback);
		}
		else {
			Response.writeError(request, response, callback, 405);
		}
		return true;
	}

	private void listen(Request request, Response response, Callback callback) {
		EventsQuery query;
		try {
			query = EventsQuery.parse(request.getHttpURI().getQuery());
		}
		catch (IllegalArgumentException ignored) {
			Response.writeError(request, response, callback, 400);
			return;
		}
		if (stream.isClosed()) {
			Response.writeError(request, response, callback, 503);
		}
		else if (query.isDone(request.getHeaders().get("Last-Event-ID"))) {
			response.getHeaders().put(NO_STORE);
			writeNothing(response, callback);
		}
		else {
			response.getHeaders().put(CONTENT_TYPE).put(NO_STORE).put(NO_BUFFERING);
			if (HttpMethod.HEAD.is(request.getMethod())) {
				// Not the last write: a stream has no length
				response.write(false, BufferUtil.EMPTY_BUFFER, callback);
				return;
			}
			Optional<Runnable> release = limit.tryAcquire(request);
			if (release.isPresent()) {
				add(request, response, Callback.from(release.get(), callback), query);
			}
			else {
				reject(response, callback);
			}
		}
	}

	/** Adds a listener. The callback releases its permit, including on failure. */
	private void add(Request request, Response response, Callback callback, EventsQuery query) {
		try {
			limitSocketBuffers(request);
		}
		catch (IOException closed) {
			callback.failed(closed);
			return;
		}
		request.addFailureListener(stream.add(response, callback, Abort.of(request), query.until())::disconnected);
	}

	private static void writeNothing(Response response, Callback callback) {
		response.setStatus(204);
		response.write(PreparedResponse.hasLength(204), BufferUtil.EMPTY_BUFFER, callback);
	}

	/**
	 * Limits the socket buffers over HTTP/1.1. Over HTTP/2 all streams share them, and
	 * the stream's window is the limit.
	 */
	private static void limitSocketBuffers(Request request) throws IOException {
		if (request.getConnectionMetaData().getHttpVersion() != HttpVersion.HTTP_2 && request.getConnectionMetaData()
			.getConnection()
			.getEndPoint()
			.getTransport() instanceof SocketChannel socket) {
			socket.setOption(StandardSocketOptions.SO_SNDBUF, SOCKET_BUFFER_SIZE);
			socket.setOption(StandardSocketOptions.SO_RCVBUF, SOCKET_BUFFER_SIZE);
		}
	}

	private void reject(Response response, Callback callback) {
		response.getHeaders().remove(NO_BUFFERING.getName());
		PreparedResponse.of(GatewayError.tooManyListeners().render(gatewayName, 1)).write(response, callback);
	}

}
