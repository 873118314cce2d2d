package dev.comfygateway.server;

import org.eclipse.jetty.server.Handler;
import org.jspecify.annotations.Nullable;

/**
 * Handler that another package inserts into the {@link HandlerChain} of the callers'
 * port.
 *
 * @param place position in the chain
 * @param handler the handler; {@code null} if a setting disables it
 */
public record PlacedHandler(Place place, Handler.@Nullable Singleton handler) {

	/** Position in the {@link HandlerChain}. */
	public enum Place {

		/** Adds headers to the responses of all later handlers. */
		HEADERS,
		/** Responds from memory, on the hot path. */
		ACCELERATOR,
		/** Sends a stream for as long as the caller listens. */
		STREAM

	}

}
