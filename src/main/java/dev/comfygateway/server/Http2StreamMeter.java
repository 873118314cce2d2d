package dev.comfygateway.server;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Meter of the frames of an HTTP/2 connection, and of the heap that its streams use.
 * Jetty retains the objects of as many streams as were open concurrently.
 */
final class Http2StreamMeter {

	/** Bytes of heap of an open stream, in addition to its head. */
	private static final int STREAM = 3 * 1024;

	/**
	 * Bytes of heap for a byte of a frame: the byte itself, and a buffer twice as long.
	 */
	private static final int BUFFERED_BYTE = 3;

	/**
	 * Maximum number of consecutive reads. After them a connection waits for its
	 * selector, which also serves other connections.
	 */
	private static final int MAX_READS = 16;

	private volatile int frames;

	private int framesBefore;

	private int incomplete;

	private final AtomicInteger windowUpdates = new AtomicInteger();

	private int reads;

	private int open;

	private int peak;

	private int heads;

	private int charged;

	/** Records a complete frame, or a complete head of several frames. */
	void frameComplete() {
		frames++;
	}

	/** Returns the number of complete frames. */
	int frames() {
		return frames;
	}

	/**
	 * Records a window update.
	 * @return number of window updates since the last data frame sent, this one included
	 */
	int countWindowUpdate() {
		return windowUpdates.incrementAndGet();
	}

	void dataSent() {
		windowUpdates.set(0);
	}

	/**
	 * Counts a read, unless the maximum number of consecutive reads is reached.
	 * @return whether the read is counted; if not, it must wait for the selector
	 */
	boolean tryCountRead() {
		if (reads < MAX_READS) {
			reads++;
			return true;
		}
		reads = 0;
		return false;
	}

	/** Records that no more bytes are available. */
	void pause() {
		reads = 0;
	}

	/**
	 * Adds the bytes of a read to the heap cost of an incomplete frame. The cost is zero
	 * for the first read after a complete frame, and grows with each further read.
	 */
	void countBytes(int read) {
		incomplete = frames == framesBefore ? Math.min(incomplete + read * BUFFERED_BYTE, IncompleteHead.MAX) : 0;
		framesBefore = frames;
	}

	/** Returns the heap cost of an incomplete frame in bytes. */
	int incompleteBytes() {
		return incomplete;
	}

	/**
	 * Records a new stream.
	 * @return bytes to charge
	 */
	synchronized int open(int head) {
		open++;
		peak = Math.max(peak, open);
		heads += head;
		return settle();
	}

	/**
	 * Records the end of a stream.
	 * @return bytes to charge, zero or less
	 */
	synchronized int close(int head) {
		open--;
		heads -= head;
		return settle();
	}

	/** Returns the number of open streams. */
	synchronized int open() {
		return open;
	}

	/**
	 * Returns the change of the charge. A release is deferred until it is at least half
	 * of the charge, since each change updates a counter that all connections share.
	 */
	private int settle() {
		int heapBytes = peak * STREAM + heads;
		if (heapBytes <= charged && heapBytes > charged / 2) {
			return 0;
		}
		int change = heapBytes - charged;
		charged = heapBytes;
		return change;
	}

}
