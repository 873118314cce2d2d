package dev.comfygateway.server;

import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.http2.ErrorCode;
import org.eclipse.jetty.http2.HTTP2Connection;
import org.eclipse.jetty.http2.HTTP2Stream;
import org.eclipse.jetty.http2.frames.ResetFrame;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.util.Callback;

/**
 * Timeout for HTTP/2 streams and connections whose callers do not read.
 * <ul>
 * <li>A stream is reset if its send window is empty at two consecutive checks.</li>
 * <li>If only the connection's window is empty, its streams are reset if the connection
 * sent nothing between the checks.</li>
 * <li>A connection is closed if a write to its socket is pending at {@link #MAX_PENDING}
 * consecutive checks, and nothing was sent between them.</li>
 * </ul>
 */
final class StalledStreams {

	/**
	 * Number of checks. They are 20 s apart, or the idle timeout if that is shorter. The
	 * bytes of a write count only when it is complete, so that fewer checks would close
	 * the connection of a slow reader.
	 */
	private static final int MAX_PENDING = 4;

	/**
	 * Bytes that the connection had sent at the last check. Weak, to release ended
	 * streams.
	 */
	private Map<HTTP2Stream, Long> seen = new WeakHashMap<>();

	private Map<HTTP2Stream, Long> current = new WeakHashMap<>();

	private final Map<Connection, Pending> pending = new WeakHashMap<>();

	/** Checks the streams of a connection, and the connection. */
	void check(Connection connection) {
		if (!(connection instanceof HTTP2Connection http2)) {
			return;
		}
		long sent = http2.getBytesOut();
		for (HTTP2Stream stream : Http2.stalled(connection)) {
			Long before = seen.get(stream);
			if (before != null && (before == sent || stream.updateSendWindow(0) <= 0)) {
				stream.reset(new ResetFrame(stream.getId(), ErrorCode.CANCEL_STREAM_ERROR.code), Callback.NOOP);
			}
			else {
				current.put(stream, sent);
			}
		}
		if (!Http2.isWritePending(http2)) {
			pending.remove(connection);
		}
		else if (pending.merge(connection, new Pending(sent, 1), Pending::and).checks >= MAX_PENDING) {
			connection.getEndPoint().close(new TimeoutException("Responses not read before the timeout"));
		}
	}

	/** Ends a check of all connections. */
	void end() {
		seen = current;
		current = new WeakHashMap<>();
	}

	/**
	 * Pending write.
	 *
	 * @param sent bytes that the connection had sent
	 * @param checks number of consecutive checks that found it without progress
	 */
	private record Pending(long sent, int checks) {

		Pending and(Pending next) {
			return sent == next.sent ? new Pending(sent, checks + 1) : next;
		}

	}

}
