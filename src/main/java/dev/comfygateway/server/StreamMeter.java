package dev.comfygateway.server;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Meter of a connection over HTTP/2: of its frames, and of what its streams hold of the
 * heap. Jetty keeps the objects of as many streams as were open at the same time.
 */
final class StreamMeter {

	/** Bytes of heap of an open stream, beside its head. */
	private static final int STREAM = 3 * 1024;

	/** Bytes of heap for a byte of a frame: itself, and a buffer twice as long. */
	private static final int BUFFERED_BYTE = 3;

	/**
	 * Reads in a row, after which a connection waits for its selector, which serves
	 * others too.
	 */
	private static final int MAX_READS = 16;

	private volatile int frames;

	private int framesBefore;

	private final AtomicInteger windowUpdates = new AtomicInteger();

	private int reads;

	private int open;

	private int peak;

	private int heads;

	private int charged;

	/** Notes a frame that has come whole, or a head of several. */
	void frameComplete() {
		frames++;
	}

	/** Number of frames that have come whole. */
	int frames() {
		return frames;
	}

	/** Number of window updates since the last piece of an answer, with this one. */
	int windowUpdates() {
		return windowUpdates.incrementAndGet();
	}

	void dataSent() {
		windowUpdates.set(0);
	}

	/** Whether the next read must wait. */
	boolean isDue() {
		if (reads < MAX_READS) {
			reads++;
			return false;
		}
		reads = 0;
		return true;
	}

	/** Notes that no more can be read for now. */
	void pause() {
		reads = 0;
	}

	/**
	 * Heap bytes of the incomplete frame, with the bytes just read. Bytes read earlier
	 * have completed a frame, or belong to this one.
	 */
	int incomplete(int before, int read) {
		int incomplete = frames == framesBefore ? before + read * BUFFERED_BYTE : 0;
		framesBefore = frames;
		return incomplete;
	}

	/**
	 * Notes a new stream.
	 * @return bytes that are to be charged
	 */
	synchronized int open(int head) {
		open++;
		peak = Math.max(peak, open);
		heads += head;
		return settle();
	}

	/**
	 * Notes the end of a stream.
	 * @return bytes that are to be charged, zero or less
	 */
	synchronized int close(int head) {
		open--;
		heads -= head;
		return settle();
	}

	/** Number of open streams. */
	synchronized int open() {
		return open;
	}

	/** Gives back by halves, since each charge is one to a counter of all connections. */
	private int settle() {
		int held = peak * STREAM + heads;
		if (held <= charged && held > charged / 2) {
			return 0;
		}
		int change = held - charged;
		charged = held;
		return change;
	}

}
