package dev.comfygateway.server;

import java.io.Closeable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.http2.HTTP2Stream;
import org.eclipse.jetty.http2.ErrorCode;
import org.eclipse.jetty.http2.frames.ResetFrame;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.Scheduler;
import org.jspecify.annotations.Nullable;

/**
 * Abort of a request whose caller does not read. It closes the request's connection, or
 * over HTTP/2 resets its stream, since others have theirs on the same connection.
 */
public final class Abort implements Closeable {

	/** A connection that takes no reset for so long is not read at all. */
	private static final long MAX_RESET_SECONDS = 5;

	private final EndPoint connection;

	private final Scheduler scheduler;

	private final @Nullable HTTP2Stream stream;

	private Abort(EndPoint connection, Scheduler scheduler, @Nullable HTTP2Stream stream) {
		this.connection = connection;
		this.scheduler = scheduler;
		this.stream = stream;
	}

	/** Abort of a request that is in progress. */
	public static Abort of(Request request) {
		return new Abort(request.getConnectionMetaData().getConnection().getEndPoint(),
				request.getComponents().getScheduler(), Http2.stream(request));
	}

	@Override
	public void close() {
		if (stream == null) {
			closeConnection();
			return;
		}
		Scheduler.Task timeout = scheduler.schedule(this::closeConnection, MAX_RESET_SECONDS, TimeUnit.SECONDS);
		stream.reset(new ResetFrame(stream.getId(), ErrorCode.CANCEL_STREAM_ERROR.code),
				Callback.from(timeout::cancel));
	}

	private void closeConnection() {
		connection.close(new TimeoutException("The answer was not read in time"));
	}

}
