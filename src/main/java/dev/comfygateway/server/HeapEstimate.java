package dev.comfygateway.server;

import java.nio.channels.SelectableChannel;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Estimate of what one connection holds of the heap. A closed connection holds it until
 * its selector lets go of it, which is after all that was ready to be read.
 */
final class HeapEstimate {

	private final Object transport;

	private final AtomicInteger held;

	private volatile boolean incomplete;

	private int heads;

	/**
	 * Creates an estimate.
	 * @param transport the connection's channel
	 * @param plain bytes without a head
	 */
	HeapEstimate(Object transport, int plain) {
		this.transport = transport;
		this.held = new AtomicInteger(plain);
	}

	/**
	 * Updates the estimate of heads, on the thread that reads.
	 * @return by how many bytes
	 */
	int update(int complete, int incomplete) {
		int change = complete + incomplete - heads;
		heads += change;
		this.incomplete = incomplete > 0;
		add(change);
		return change;
	}

	/** Adds to what the connection holds beside these heads. */
	void add(int bytes) {
		if (bytes != 0) {
			held.addAndGet(bytes);
		}
	}

	/** Estimated bytes. */
	int held() {
		return held.get();
	}

	/** Whether a head has begun and is not complete. */
	boolean isIncomplete() {
		return incomplete;
	}

	/** Whether nothing is held any more. */
	boolean isReleased() {
		return transport instanceof SelectableChannel channel && !channel.isRegistered();
	}

}
