package dev.comfygateway.server;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.io.EofException;
import org.eclipse.jetty.io.IdleTimeout;
import org.eclipse.jetty.io.ssl.SslConnection;
import org.eclipse.jetty.server.ProxyConnectionFactory;
import org.jspecify.annotations.Nullable;

/**
 * End point that estimates the heap of its connection: the connection's objects and
 * buffers, requests in progress, and an incomplete head.
 */
final class MeteredEndPoint extends ProxyConnectionFactory.ProxyEndPoint {

	/** Bytes of heap of a connection after a short request. */
	private static final int PLAIN_CONNECTION = 4_500;

	/** Bytes of heap of such a connection with TLS. */
	private static final int TLS_CONNECTION = 48 * 1024;

	/**
	 * Bytes of heap that HTTP/2 adds: header tables, queues and an execution strategy.
	 */
	private static final int HTTP_2 = 20 * 1024;

	/** Bytes of the buffer in which Jetty generates the head of a response. */
	private static final int RESPONSE_HEAD = 8 * 1024;

	/**
	 * Bytes charged for buffers and streams above which a connection is closed before
	 * others.
	 */
	private static final int LARGE_HEADS = 6 * 1024;

	private final HeapBudget budget;

	private final boolean encrypted;

	private final HeapEstimate estimate;

	/** Meter of the streams; {@code null} over HTTP/1.1. */
	private volatile @Nullable Http2StreamMeter streams;

	private final Http1Meter http1;

	MeteredEndPoint(EndPoint endPoint, HeapBudget budget, boolean encrypted) {
		super(endPoint, endPoint.getLocalSocketAddress(), endPoint.getRemoteSocketAddress());
		this.budget = budget;
		this.encrypted = encrypted;
		this.http1 = new Http1Meter(encrypted);
		this.estimate = new HeapEstimate(endPoint.getTransport(), encrypted ? TLS_CONNECTION : PLAIN_CONNECTION);
	}

	/**
	 * Returns the metered end point of an open connection; {@code null} if it is not
	 * metered.
	 */
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
	 * Returns whether the connection may be closed to make room. Over HTTP/1.1 it has no
	 * parked request, and either a response to the last request has begun or a request is
	 * incomplete. Over HTTP/2 it has no stream, or only stalled ones.
	 */
	boolean isClosable() {
		Connection http = http();
		boolean idle = http.getMessagesIn() <= http.getMessagesOut();
		return streams == null ? (idle || isIncomplete()) && !http1.isParked() : idle || Http2.isUnread(http);
	}

	/** Returns whether a request is incomplete, or the first one has not arrived. */
	boolean isIncomplete() {
		return estimate.isIncomplete() || http().getMessagesIn() <= 0;
	}

	/** Returns whether no bytes of a request have arrived. */
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
		Http2StreamMeter http2 = streams;
		if (http2 != null) {
			return fill(buffer, http2);
		}
		int read = super.fill(buffer);
		if (read <= 0) {
			return read;
		}
		int from = buffer.limit() - read;
		if (!budget.tryMakeRoom() && http1.isTooLarge(buffer, from)) {
			// Closed before the bytes are parsed
			buffer.limit(from);
			budget.countShed();
			close(new EofException("Closed: heap limit reached"));
			return -1;
		}
		http1.read(buffer, from);
		charge();
		return read;
	}

	private int fill(ByteBuffer buffer, Http2StreamMeter http2) throws IOException {
		int read = http2.tryCountRead() ? super.fill(buffer) : 0;
		if (read <= 0) {
			http2.pause();
			return read;
		}
		http2.countBytes(read);
		charge();
		return read;
	}

	/** Records that the connection uses HTTP/2 from now on. */
	void switchToHttp2() {
		http1.end();
		streams = new Http2StreamMeter();
		charge();
	}

	/** Returns the bytes charged for heads and streams; zero if they are not large. */
	int largeHeadBytes() {
		int connection = (encrypted ? TLS_CONNECTION : PLAIN_CONNECTION) + (streams == null ? 0 : HTTP_2);
		int heads = estimate.heapBytes() - connection;
		return heads > LARGE_HEADS ? heads : 0;
	}

	/** Returns the time since it last sent or received anything. */
	long idleMillis() {
		return unwrap() instanceof IdleTimeout socket ? socket.getIdleFor() : 0;
	}

	/** Returns the meter of the streams; {@code null} over HTTP/1.1. */
	@Nullable Http2StreamMeter streams() {
		return streams;
	}

	/** Charges a request that begins. */
	void requestBegins(int bytes) {
		estimate.requestBegins(bytes);
		chargeChange(bytes);
	}

	/**
	 * Releases a request that has ended.
	 * @param bytes change in bytes, zero or less
	 */
	void requestEnded(int bytes) {
		estimate.requestEnded(bytes);
		chargeChange(bytes);
	}

	/**
	 * Returns the heap of one request in bytes, with its share of the connection's heap.
	 * Over HTTP/1.1 the request itself is charged after its handler has returned, and is
	 * therefore added.
	 */
	int share() {
		Http2StreamMeter http2 = streams;
		return http2 == null ? estimate.heapBytes() + http1.requestBytes()
				: estimate.heapBytes() / Math.max(1, http2.open());
	}

	/** Records a complete head over HTTP/1.1. */
	void recordHead(HeadSize head) {
		http1.headComplete(head);
		charge();
	}

	/** Records whether a request is parked. */
	void setParked(boolean parked) {
		if (streams == null) {
			http1.setParked(parked);
			charge();
		}
	}

	/**
	 * Returns the bytes of buffers that an HTTP/1.1 request in progress holds: with
	 * unparsed bytes behind it, and with the head of a response that its caller does not
	 * read. The former are already charged for a parked request.
	 */
	int bufferBytes() {
		if (http1.isParked()) {
			return 0;
		}
		Connection http = http();
		return http1.unparsedBytes() + (http.getMessagesOut() < http.getMessagesIn() ? 0 : RESPONSE_HEAD);
	}

	private void charge() {
		Http2StreamMeter http2 = streams;
		chargeChange(http2 == null ? estimate.update(http1.bufferBytes(), http1.incompleteBytes())
				: estimate.update(HTTP_2, http2.incompleteBytes()));
	}

	private void chargeChange(int bytes) {
		if (bytes != 0) {
			budget.charge(bytes);
		}
	}

}
