package dev.comfygateway.server;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.io.EofException;
import org.eclipse.jetty.io.ssl.SslConnection;
import org.eclipse.jetty.server.ProxyConnectionFactory;
import org.jspecify.annotations.Nullable;

/**
 * End point that meters what its connection holds of the heap: its own objects, the
 * fields and the longest text of a complete head, and an incomplete one. Jetty keeps the
 * fields of a request until the next one, and buffers as long as the longest text.
 */
final class MeteredEndPoint extends ProxyConnectionFactory.ProxyEndPoint {

	/** Bytes of heap of a connection that has answered a short request. */
	private static final int PLAIN_CONNECTION = 5 * 1024;

	/** The same with the state of TLS. */
	private static final int TLS_CONNECTION = 48 * 1024;

	/**
	 * Bytes of heap that HTTP/2 takes: tables of fields, queues, a strategy of threads.
	 */
	private static final int HTTP_2 = 20 * 1024;

	/** Bytes of heap for a byte of text: itself, and a buffer twice as long. */
	private static final int BUFFERED_BYTE = 3;

	/**
	 * Bytes of heap for a byte of an encrypted head; the worst case is the shortest
	 * fields.
	 */
	private static final int ENCRYPTED_BYTE = 25;

	/** An incomplete head is bounded by its own limit, and a body is not held. */
	private static final int MAX_INCOMPLETE = 200 * 1024;

	/** Bytes that a connection may hold in addition if the budget is exhausted. */
	private static final int SMALL = 1024;

	private final HeapBudget budget;

	private final boolean encrypted;

	private final HeapEstimate estimate;

	/** Present over HTTP/2. */
	private volatile @Nullable StreamMeter streams;

	private int complete;

	private int incomplete;

	/** The last two bytes that were read. */
	private int tail;

	MeteredEndPoint(EndPoint endPoint, HeapBudget budget, boolean encrypted) {
		super(endPoint, endPoint.getLocalSocketAddress(), endPoint.getRemoteSocketAddress());
		this.budget = budget;
		this.encrypted = encrypted;
		this.estimate = new HeapEstimate(endPoint.getTransport(), encrypted ? TLS_CONNECTION : PLAIN_CONNECTION);
	}

	/** End point of an open connection; absent if it is not metered. */
	static @Nullable MeteredEndPoint of(EndPoint endPoint) {
		EndPoint found = endPoint;
		while (found instanceof EndPoint.Wrapper wrapper && !(found instanceof MeteredEndPoint)) {
			found = wrapper.unwrap();
		}
		if (found instanceof MeteredEndPoint metered) {
			return metered;
		}
		Connection connection = found.getConnection();
		return connection != null && connection.getEndPoint() instanceof MeteredEndPoint metered ? metered : null;
	}

	HeapEstimate estimate() {
		return estimate;
	}

	/**
	 * Whether the connection may be closed to make room: it has no request in progress,
	 * only an unfinished body, or over HTTP/2 only stalled streams.
	 */
	boolean isExpendable() {
		Connection http = http();
		return http.getMessagesIn() <= http.getMessagesOut()
				|| (streams == null ? isIncomplete() : Http2.isUnread(http));
	}

	/** Whether the first request, or a later one, is incomplete. */
	boolean isIncomplete() {
		return estimate.isIncomplete() || http().getMessagesIn() <= 0;
	}

	/** Whether nothing has come by it. */
	boolean isSilent() {
		return !estimate.isIncomplete() && http().getMessagesIn() <= 0;
	}

	private Connection http() {
		Connection connection = getConnection();
		return connection instanceof SslConnection tls ? tls.getSslEndPoint().getConnection() : connection;
	}

	@Override
	public SslSessionData getSslSessionData() {
		return unwrap().getSslSessionData();
	}

	@Override
	public int fill(ByteBuffer buffer) throws IOException {
		StreamMeter http2 = streams;
		if (http2 != null) {
			return fill(buffer, http2);
		}
		int read = super.fill(buffer);
		if (read <= 0) {
			return read;
		}
		int from = buffer.limit() - read;
		if (!budget.tryMakeRoom() && isLarge(buffer, from)) {
			// Before it is parsed
			buffer.limit(from);
			budget.closed();
			close(new EofException("Closed: heap limit reached"));
			return -1;
		}
		incomplete = Math.min(encrypted ? incomplete + read * ENCRYPTED_BYTE : incomplete(buffer, from),
				MAX_INCOMPLETE);
		charge();
		return read;
	}

	private int fill(ByteBuffer buffer, StreamMeter http2) throws IOException {
		int read = http2.isDue() ? 0 : super.fill(buffer);
		if (read <= 0) {
			http2.pause();
			return read;
		}
		incomplete = Math.min(http2.incomplete(incomplete, read), MAX_INCOMPLETE);
		charge();
		return read;
	}

	/** Notes that the connection speaks HTTP/2 from now on. */
	void speaksHttp2() {
		complete = HTTP_2;
		incomplete = 0;
		charge();
		streams = new StreamMeter();
	}

	/** Meter of the streams; absent over HTTP/1.1. */
	@Nullable StreamMeter streams() {
		return streams;
	}

	/** Notes a request of a stream, or its end unless the connection has ended before. */
	void chargeStreams(int bytes) {
		if (bytes != 0 && !estimate.isReleased()) {
			estimate.add(bytes);
			budget.charge(bytes);
		}
	}

	/** Bytes of the heap that a request holds: its share of what its connection does. */
	int share() {
		StreamMeter http2 = streams;
		return http2 == null ? estimate.held() : estimate.held() / Math.max(1, http2.open());
	}

	/** Notes a head that is complete. */
	void complete(HeadSize head) {
		complete = Math.max(complete, head.held() + head.longest() * (BUFFERED_BYTE - 1));
		if (encrypted) {
			incomplete = 0;
		}
		charge();
	}

	private void charge() {
		int change = estimate.update(complete, incomplete);
		if (change != 0) {
			budget.charge(change);
		}
	}

	/**
	 * Whether these bytes would raise the connection's cost by more than {@value #SMALL}.
	 */
	private boolean isLarge(ByteBuffer buffer, int from) {
		int cost = incomplete + (buffer.limit() - from) * (encrypted ? ENCRYPTED_BYTE : BUFFERED_BYTE);
		for (int i = from; i < buffer.limit() && cost <= complete + SMALL; i++) {
			if (buffer.get(i) == '\n') {
				cost += HeadSize.FIELD;
			}
		}
		return cost > complete + SMALL;
	}

	/**
	 * Cost of what is incomplete, with the bytes from here on. Looks back to the last
	 * blank line, which ends a head.
	 */
	private int incomplete(ByteBuffer buffer, int from) {
		int last = buffer.limit() - 1;
		int lines = 0;
		int i = last;
		while (i >= from && !endsBlankLine(buffer, from, i)) {
			if (buffer.get(i) == '\n') {
				lines++;
			}
			i--;
		}
		int cost = lines * HeadSize.FIELD + (last - i) * BUFFERED_BYTE;
		tail = byteAt(buffer, from, last - 1) << Byte.SIZE | byteAt(buffer, from, last);
		return i >= from ? cost : incomplete + cost;
	}

	private boolean endsBlankLine(ByteBuffer buffer, int from, int i) {
		if (buffer.get(i) != '\n') {
			return false;
		}
		int previous = byteAt(buffer, from, i - 1);
		return previous == '\n' || previous == '\r' && byteAt(buffer, from, i - 2) == '\n';
	}

	private int byteAt(ByteBuffer buffer, int from, int i) {
		return i >= from ? buffer.get(i) & 0xFF : tail >> (from - 1 - i) * Byte.SIZE & 0xFF;
	}

}
