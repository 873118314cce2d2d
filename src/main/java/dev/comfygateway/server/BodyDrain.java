package dev.comfygateway.server;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.Scheduler;
import org.jspecify.annotations.Nullable;

/**
 * Drain of a body that had not come whole when its request was answered. What still comes
 * is thrown away, up to a bound. A connection closed before would be reset by it, and the
 * caller would lose the answer.
 */
final class BodyDrain implements Callback {

	private static final long MAX_BYTES = 2 * 1024 * 1024;

	private static final long MAX_SECONDS = 5;

	private final Request request;

	private final Callback callback;

	private long bytes;

	private Scheduler.@Nullable Task giveUp;

	/**
	 * Creates the drain.
	 * @param callback completed when nothing more comes
	 */
	BodyDrain(Request request, Callback callback) {
		this.request = request;
		this.callback = callback;
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
		giveUp = request.getComponents()
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
	 * Throws away what has come of a body; Jetty's own method would refuse the rest.
	 * @return whether that was all
	 */
	static boolean hasComeWhole(Request request) {
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
		if (giveUp != null) {
			giveUp.cancel();
		}
		callback.succeeded();
	}

}
