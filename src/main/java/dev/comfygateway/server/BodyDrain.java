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
 * Drain of an unread body after its request was answered, up to a limit. A close without
 * it would reset the connection, and the caller would lose the answer.
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
	 * @param callback completed after the last byte
	 */
	private BodyDrain(Request request, Callback callback) {
		this.request = request;
		this.callback = callback;
	}

	/**
	 * Closes the connection after the answer, when the rest of the body is drained. Over
	 * HTTP/2 only the stream ends, and Jetty resets it.
	 * @return completed in place of the given callback
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
		// Tells the caller that the answer is whole and the connection ends
		connection.shutdownOutput();
		timeout = request.getComponents()
			.getScheduler()
			.schedule(() -> connection.close(new TimeoutException("The body did not come in time")), MAX_SECONDS,
					TimeUnit.SECONDS);
		drain();
	}

	@Override
	public void failed(Throwable failure) {
		callback.failed(failure);
	}

	/**
	 * Discards the received part of a body. Jetty's own method would refuse the rest.
	 * @return whether that was the whole body
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

	/** Not {@code Content.Source.consumeAll}, which has no limit of bytes. */
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
