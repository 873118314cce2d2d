package dev.comfygateway.server;

import java.nio.channels.SelectableChannel;

/**
 * Estimate of what one connection holds of the heap. A closed connection holds it until
 * its selector lets go of it, which is after all that was ready to be read.
 */
final class HeapEstimate {

	private final Object transport;

	private final int plain;

	private volatile int held;

	private volatile boolean incomplete;

	/**
	 * Creates a estimate.
	 * @param transport the connection's channel
	 * @param plain bytes without a head
	 */
	HeapEstimate(Object transport, int plain) {
		this.transport = transport;
		this.plain = plain;
		this.held = plain;
	}

	/**
	 * Updates the estimate.
	 * @return by how many bytes
	 */
	int update(int complete, int incomplete) {
		int now = plain + complete + incomplete;
		int change = now - held;
		held = now;
		this.incomplete = incomplete > 0;
		return change;
	}

	/** Estimated bytes. */
	int held() {
		return held;
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
