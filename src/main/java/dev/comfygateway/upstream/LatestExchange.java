package dev.comfygateway.upstream;

import dev.comfygateway.upstream.UpstreamConnections.HandshakeFailures;
import org.jspecify.annotations.Nullable;

/** Exchange of the latest attempt of a fetch, which the deadline closes. */
final class LatestExchange {

	private final HandshakeFailures handshakes;

	private volatile @Nullable UpstreamExchange latest;

	private volatile boolean closed;

	LatestExchange(HandshakeFailures handshakes) {
		this.handshakes = handshakes;
	}

	/** Exchange of the next attempt; closed at once if the deadline has passed. */
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

	/** Closes the connection that an answer left for a next request. */
	void closeKept() {
		UpstreamExchange open = latest;
		if (open != null) {
			open.closeKept();
		}
	}

}
