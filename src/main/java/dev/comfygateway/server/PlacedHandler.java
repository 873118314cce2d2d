package dev.comfygateway.server;

import org.eclipse.jetty.server.Handler;
import org.jspecify.annotations.Nullable;

/**
 * Handler of another package in front of the servlets of the callers' port.
 *
 * @param place where a request meets it
 * @param handler the handler; absent if a setting turns it off
 */
public record PlacedHandler(Place place, Handler.@Nullable Singleton handler) {

	/** Places in the {@link HandlerChain}. */
	public enum Place {

		/** Adds headers to whatever answers behind it. */
		HEADERS,
		/** Answers from memory, the hot path. */
		ACCELERATOR,
		/** Answers for as long as the caller listens. */
		STREAM

	}

}
