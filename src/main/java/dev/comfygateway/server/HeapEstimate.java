package dev.comfygateway.server;

import java.nio.channels.SelectableChannel;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Estimate of the heap that one connection and its requests use. A closed connection
 * retains it until its selector deregisters the channel, after processing all channels
 * that were ready, and until its requests have ended.
 */
final class HeapEstimate {

	private final Object transport;

	private final AtomicInteger heapBytes;

	/** Number of charged requests in progress. */
	private final AtomicInteger requests = new AtomicInteger();

	private volatile boolean incomplete;

	private int reading;

	/**
	 * Creates an estimate.
	 * @param transport the connection's channel
	 * @param plain bytes of a connection without a head
	 */
	HeapEstimate(Object transport, int plain) {
		this.transport = transport;
		this.heapBytes = new AtomicInteger(plain);
	}

	/**
	 * Updates the bytes of buffers and of an incomplete head, on the thread that reads.
	 * @return change in bytes
	 */
	int update(int buffers, int incomplete) {
		int change = buffers + incomplete - reading;
		reading += change;
		this.incomplete = incomplete > 0;
		add(change);
		return change;
	}

	/** Adds bytes of a request that begins. */
	void requestBegins(int bytes) {
		requests.incrementAndGet();
		add(bytes);
	}

	/** Adds bytes, zero or less, of a request that has ended. */
	void requestEnded(int bytes) {
		add(bytes);
		requests.decrementAndGet();
	}

	private void add(int bytes) {
		if (bytes != 0) {
			heapBytes.addAndGet(bytes);
		}
	}

	/** Estimated bytes. */
	int heapBytes() {
		return heapBytes.get();
	}

	/** Returns whether a head has begun and is not complete. */
	boolean isIncomplete() {
		return incomplete;
	}

	/**
	 * Returns whether the heap is released: the selector has deregistered the channel,
	 * and no charged request is in progress.
	 */
	boolean isReleased() {
		return transport instanceof SelectableChannel channel && !channel.isRegistered() && requests.get() == 0;
	}

}
