package dev.comfygateway.server;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.jetty.http2.ErrorCode;
import org.eclipse.jetty.http2.HTTP2Stream;
import org.eclipse.jetty.http2.frames.ResetFrame;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.Invocable;
import org.eclipse.jetty.util.thread.Scheduler;
import org.jspecify.annotations.Nullable;

/**
 * Drain of a request body over HTTP/2, until {@value #MAX_SECONDS} seconds after the
 * response. Without it, unread frames would fill the heap. If the body is still
 * incomplete, a reset with {@code NO_ERROR} asks the caller to stop sending (RFC 9113
 * section 8.1).
 */
final class Http2BodyDrain implements Callback {

	private static final long MAX_BYTES = 2 * 1024 * 1024;

	/** Minimum number of bytes counted for a frame. */
	private static final int FRAME = 256;

	private static final long MAX_SECONDS = 5;

	private final Request request;

	private final Response response;

	private final HTTP2Stream stream;

	private final Callback callback;

	/**
	 * Number of pending completions: those of the response and of the drain. The request
	 * completes after both.
	 */
	private final AtomicInteger left = new AtomicInteger(2);

	private long bytes;

	private volatile boolean complete;

	private volatile Scheduler.@Nullable Task timeout;

	/**
	 * Creates the drain.
	 * @param callback callback of the request, completed after the response and the drain
	 */
	Http2BodyDrain(Request request, Response response, HTTP2Stream stream, Callback callback) {
		this.request = request;
		this.response = response;
		this.stream = stream;
		this.callback = callback;
	}

	@Override
	public InvocationType getInvocationType() {
		return InvocationType.NON_BLOCKING;
	}

	/** Discards the body as it arrives. */
	void drain() {
		while (bytes < MAX_BYTES) {
			Content.Chunk chunk = request.read();
			if (chunk == null) {
				request.demand(Invocable.from(InvocationType.NON_BLOCKING, this::drain));
				return;
			}
			bytes += Math.max(chunk.remaining(), FRAME);
			chunk.release();
			if (chunk.isLast() || Content.Chunk.isFailure(chunk)) {
				complete = !Content.Chunk.isFailure(chunk);
				end();
				return;
			}
		}
		reset(response.hasLastWrite() ? ErrorCode.NO_ERROR : ErrorCode.CANCEL_STREAM_ERROR);
		end();
	}

	@Override
	public void succeeded() {
		if (response.hasLastWrite()) {
			answered();
		}
		else {
			response.write(true, BufferUtil.EMPTY_BUFFER,
					Callback.from(InvocationType.NON_BLOCKING, this::answered, callback::failed));
		}
	}

	@Override
	public void failed(Throwable failure) {
		callback.failed(failure);
	}

	private void answered() {
		timeout = request.getComponents().getScheduler().schedule(this::stop, MAX_SECONDS, TimeUnit.SECONDS);
		end();
	}

	private void end() {
		if (left.decrementAndGet() == 0) {
			Scheduler.Task waiting = timeout;
			if (waiting == null || waiting.cancel()) {
				stop();
			}
		}
	}

	private void stop() {
		if (!complete) {
			reset(ErrorCode.NO_ERROR);
		}
		callback.succeeded();
	}

	/** Resets the stream. A second reset has no effect. */
	private void reset(ErrorCode error) {
		stream.reset(new ResetFrame(stream.getId(), error.code), Callback.NOOP);
	}

}
