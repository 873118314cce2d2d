package dev.comfygateway.server;

import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.io.ssl.SslConnection;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.util.component.AbstractLifeCycle;
import org.eclipse.jetty.util.thread.Scheduler;
import org.jspecify.annotations.Nullable;

/**
 * Timeout for request heads, HTTP/2 frames and TLS handshakes that arrive byte by byte.
 * The idle timeout does not apply to them, since each byte restarts it. A connection is
 * closed if one of these is incomplete at two consecutive checks. A connection with
 * active streams remains open: {@link StalledStreams} resets its stalled streams.
 */
final class HeadTimeout extends AbstractLifeCycle {

	/** Cipher suite that JSSE reports before the handshake is complete. */
	private static final String NO_CIPHER = "SSL_NULL_WITH_NULL_NULL";

	private final Connector connector;

	private final long intervalMillis;

	/** Weak keys, so that a closed connection is not retained until the next check. */
	private Map<EndPoint, Progress> seen = new WeakHashMap<>();

	private final StalledStreams stalled = new StalledStreams();

	private Scheduler.@Nullable Task next;

	/**
	 * Creates the timeout.
	 * @param intervalMillis minimum time for a head; the maximum is twice as long
	 */
	HeadTimeout(Connector connector, long intervalMillis) {
		this.connector = connector;
		this.intervalMillis = intervalMillis;
	}

	@Override
	protected void doStart() {
		schedule();
	}

	@Override
	protected void doStop() {
		if (next != null) {
			next.cancel();
		}
	}

	private void schedule() {
		next = connector.getScheduler().schedule(this::checkConnections, intervalMillis, TimeUnit.MILLISECONDS);
	}

	/** Closes connections that are too slow, and schedules the next check. */
	void checkConnections() {
		try {
			closeTooSlow();
		}
		finally {
			if (isRunning()) {
				schedule();
			}
		}
	}

	private void closeTooSlow() {
		Map<EndPoint, Progress> now = new WeakHashMap<>();
		for (EndPoint endPoint : connector.getConnectedEndPoints()) {
			Connection connection = endPoint.getConnection();
			boolean secured = true;
			if (connection instanceof SslConnection tls) {
				secured = !NO_CIPHER.equals(tls.getSSLEngine().getSession().getCipherSuite());
				connection = secured ? tls.getSslEndPoint().getConnection() : tls;
			}
			stalled.check(connection);
			if (connection.getMessagesIn() == connection.getMessagesOut()) {
				Progress progress = Progress.of(connection, frames(endPoint), secured, seen.get(endPoint));
				if (progress.isTooSlow()) {
					endPoint
						.close(new TimeoutException("Head, frame or TLS handshake not complete before the timeout"));
				}
				now.put(endPoint, progress);
			}
		}
		seen = now;
		stalled.end();
	}

	/** Returns the number of HTTP/2 frames received; zero over HTTP/1.1. */
	private static int frames(EndPoint endPoint) {
		MeteredEndPoint metered = MeteredEndPoint.of(endPoint);
		Http2StreamMeter http2 = metered == null ? null : metered.streams();
		return http2 == null ? 0 : http2.frames();
	}

	/**
	 * Data received on a connection until a check.
	 *
	 * @param secured whether the handshake is complete, if there is one
	 * @param messages number of requests, or of frames over HTTP/2
	 * @param bytes number of bytes
	 * @param incomplete number of consecutive checks that found an incomplete request or
	 * handshake
	 */
	private record Progress(boolean secured, long messages, long bytes, int incomplete) {

		static Progress of(Connection connection, int frames, boolean secured, @Nullable Progress before) {
			// An incomplete TLS handshake reports -1
			long messages = Math.max(0, connection.getMessagesIn()) + frames;
			long bytes = connection.getBytesIn();
			if (before == null || before.messages < messages || before.secured != secured) {
				return new Progress(secured, messages, bytes, messages == 0 && bytes > 0 ? 1 : 0);
			}
			boolean begun = before.incomplete > 0 || before.bytes < bytes;
			return new Progress(secured, messages, bytes, begun ? before.incomplete + 1 : 0);
		}

		boolean isTooSlow() {
			return incomplete > 1;
		}

	}

}
