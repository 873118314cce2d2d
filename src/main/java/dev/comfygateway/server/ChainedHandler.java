package dev.comfygateway.server;

import org.eclipse.jetty.server.Handler;
import org.jspecify.annotations.Nullable;

/**
 * Handler that another package inserts into the {@link HandlerChain} of the callers'
 * port.
 *
 * @param position position in the chain
 * @param handler the handler; {@code null} if a setting disables it
 */
public record ChainedHandler(Position position, Handler.@Nullable Singleton handler) {

	/** Position in the {@link HandlerChain}. */
	public enum Position {

		/** Adds headers to the responses of all later handlers. */
		HEADERS,
		/** Responds from memory, on the hot path. */
		ACCELERATOR,
		/** Sends a stream for as long as the caller listens. */
		EVENTS

	}

}
