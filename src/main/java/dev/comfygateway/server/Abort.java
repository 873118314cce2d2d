package dev.comfygateway.server;

import java.io.Closeable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.http.HttpVersion;
import org.eclipse.jetty.http2.HTTP2Stream;
import org.eclipse.jetty.http2.ErrorCode;
import org.eclipse.jetty.http2.frames.ResetFrame;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.ConnectionMetaData;
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

	private final boolean isShared;

	private final @Nullable HTTP2Stream stream;

	private Abort(Request request) {
		ConnectionMetaData metaData = request.getConnectionMetaData();
		this.connection = metaData.getConnection().getEndPoint();
		this.scheduler = request.getComponents().getScheduler();
		this.isShared = metaData.getHttpVersion() == HttpVersion.HTTP_2;
		this.stream = Http2.stream(request);
	}

	/** Abort of a request that is in progress. */
	public static Abort of(Request request) {
		return new Abort(request);
	}

	@Override
	public void close() {
		if (!isShared) {
			closeConnection();
			return;
		}
		if (stream == null) {
			// It had ended already
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
