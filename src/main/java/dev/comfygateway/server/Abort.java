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
 * Abort of a request whose caller does not read the response. It closes the connection.
 * Over HTTP/2 it resets only the stream, since other streams share the connection.
 */
public final class Abort implements Closeable {

	/** Timeout of the write of a reset, after which the connection is closed. */
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

	/** Creates the abort of a request that is in progress. */
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
			// The stream has already ended
			return;
		}
		Scheduler.Task timeout = scheduler.schedule(this::closeConnection, MAX_RESET_SECONDS, TimeUnit.SECONDS);
		stream.reset(new ResetFrame(stream.getId(), ErrorCode.CANCEL_STREAM_ERROR.code),
				Callback.from(timeout::cancel));
	}

	private void closeConnection() {
		connection.close(new TimeoutException("Response not read before the timeout"));
	}

}
