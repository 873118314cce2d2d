package dev.comfygateway.upstream;

import dev.comfygateway.upstream.UpstreamHttpClientFactory.HandshakeFailures;
import org.jspecify.annotations.Nullable;

/** Holder of the latest attempt of a fetch, which is closed at the deadline. */
final class LatestExchange {

	private final HandshakeFailures handshakes;

	private volatile @Nullable UpstreamExchange latest;

	private volatile boolean closed;

	LatestExchange(HandshakeFailures handshakes) {
		this.handshakes = handshakes;
	}

	/**
	 * Creates the exchange of the next attempt. It is closed immediately if the deadline
	 * has passed.
	 */
	UpstreamExchange next() {
		UpstreamExchange next = new UpstreamExchange(handshakes);
		latest = next;
		if (closed) {
			next.close();
		}
		return next;
	}

	void close() {
		closed = true;
		UpstreamExchange open = latest;
		if (open != null) {
			open.close();
		}
	}

	/** Closes the connection that was kept open for the next request. */
	void closeKeptAlive() {
		UpstreamExchange open = latest;
		if (open != null) {
			open.closeKeptAlive();
		}
	}

}
