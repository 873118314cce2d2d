package dev.comfygateway.server;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpHeaderValue;
import org.eclipse.jetty.http.HttpVersion;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.Scheduler;
import org.jspecify.annotations.Nullable;

/**
 * Drain of an unread request body after the response, up to a limit. Without it, closing
 * would reset the connection, and the caller would lose the response.
 */
final class BodyDrain implements Callback {

	private static final long MAX_BYTES = 2 * 1024 * 1024;

	private static final long MAX_SECONDS = 5;

	private final Request request;

	private final Callback callback;

	private long bytes;

	private Scheduler.@Nullable Task timeout;

	/**
	 * Creates the drain.
	 * @param callback completed at the end of the drain
	 */
	private BodyDrain(Request request, Callback callback) {
		this.request = request;
		this.callback = callback;
	}

	/**
	 * Closes the connection after the response and the drain of the body. It has no
	 * effect over HTTP/2, where only the stream ends and Jetty resets it.
	 * @return callback to complete instead of the given one
	 */
	static Callback andClose(Request request, Response response, Callback callback) {
		if (request.getConnectionMetaData().getHttpVersion() == HttpVersion.HTTP_2) {
			return callback;
		}
		response.getHeaders().put(HttpHeader.CONNECTION, HttpHeaderValue.CLOSE);
		return discardAvailable(request) ? callback : new BodyDrain(request, callback);
	}

	@Override
	public InvocationType getInvocationType() {
		return InvocationType.NON_BLOCKING;
	}

	@Override
	public void succeeded() {
		EndPoint connection = request.getConnectionMetaData().getConnection().getEndPoint();
		// Signals that the response is complete and the connection ends
		connection.shutdownOutput();
		timeout = request.getComponents()
			.getScheduler()
			.schedule(() -> connection.close(new TimeoutException("Request body not complete before the timeout")),
					MAX_SECONDS, TimeUnit.SECONDS);
		drain();
	}

	@Override
	public void failed(Throwable failure) {
		callback.failed(failure);
	}

	/**
	 * Discards the part of a body that is already available. Jetty's
	 * {@code consumeAvailable} would make the rest of the body fail.
	 * @return whether the body is complete
	 */
	static boolean discardAvailable(Request request) {
		for (long bytes = 0; bytes < MAX_BYTES;) {
			Content.Chunk chunk = request.read();
			if (chunk == null || Content.Chunk.isFailure(chunk)) {
				return false;
			}
			bytes += chunk.remaining();
			chunk.release();
			if (chunk.isLast()) {
				return true;
			}
		}
		return false;
	}

	/**
	 * Drains the body. {@code Content.Source.consumeAll} is not used, since it has no
	 * limit of bytes.
	 */
	private void drain() {
		while (bytes < MAX_BYTES) {
			Content.Chunk chunk = request.read();
			if (chunk == null) {
				request.demand(this::drain);
				return;
			}
			bytes += chunk.remaining();
			chunk.release();
			if (chunk.isLast() || Content.Chunk.isFailure(chunk)) {
				break;
			}
		}
		if (timeout != null) {
			timeout.cancel();
		}
		callback.succeeded();
	}

}
