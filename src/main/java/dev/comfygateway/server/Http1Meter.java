package dev.comfygateway.server;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Meter of the heads of an HTTP/1.1 connection, and of the buffers that it retains. Jetty
 * retains buffers as long as the longest text of all heads, but no field of a completed
 * request.
 */
final class Http1Meter {

	/** Additional bytes that a head may use while the budget is exhausted. */
	private static final int SMALL = 2 * 1024;

	private final boolean encrypted;

	private final IncompleteHead incompleteHead;

	/** Bytes of buffers. */
	private int retained;

	/** Bytes of the last request while it is in progress. */
	private int request;

	/** Cost of the largest head while it arrived. */
	private int largestHead;

	/** Buffer of the last read, while a part of it may be unparsed. */
	private @Nullable ByteBuffer lastRead;

	private volatile boolean parked;

	Http1Meter(boolean encrypted) {
		this.encrypted = encrypted;
		this.incompleteHead = new IncompleteHead(encrypted);
	}

	/**
	 * Returns whether the bytes of a buffer from this index cost so much more than the
	 * largest head so far that they must not be parsed while the budget is exhausted.
	 */
	boolean isTooLarge(ByteBuffer buffer, int from) {
		return incompleteHead.wouldExceed(largestHead + SMALL, buffer, from);
	}

	/** Records the bytes of a buffer from this index. */
	void read(ByteBuffer buffer, int from) {
		lastRead = buffer;
		incompleteHead.add(buffer, from);
	}

	/** Records a complete head. */
	void headComplete(HeadSize head) {
		request = head.requestBytes();
		retained = Math.max(retained, head.bufferBytes());
		largestHead = Math.max(largestHead, encrypted ? incompleteHead.cost() : head.incompleteBytes());
		if (encrypted) {
			incompleteHead.set(0);
		}
		releaseLastRead();
	}

	/**
	 * Records whether the request is parked. Bytes that follow it are not parsed before
	 * it ends. Until then they use only the buffer that contains them.
	 */
	void setParked(boolean parked) {
		releaseLastRead();
		this.parked = parked;
	}

	/** Returns whether the request is parked. */
	boolean isParked() {
		return parked;
	}

	/** Returns the bytes of the last request while it is in progress. */
	int requestBytes() {
		return request;
	}

	/** Returns the bytes of buffers. */
	int bufferBytes() {
		return parked ? retained + unparsedBytes() : retained;
	}

	/** Returns the bytes of an incomplete head that may be parsed. */
	int incompleteBytes() {
		return parked ? 0 : incompleteHead.cost();
	}

	/** Returns the bytes of the buffer with what follows the last request. */
	int unparsedBytes() {
		ByteBuffer buffer = lastRead;
		return buffer == null ? 0 : buffer.capacity();
	}

	/** Records that the connection uses HTTP/2 from now on. */
	void end() {
		lastRead = null;
	}

	/** Jetty reuses the buffer for other connections once all of it is parsed. */
	private void releaseLastRead() {
		if (lastRead != null && !lastRead.hasRemaining()) {
			lastRead = null;
		}
	}

}
