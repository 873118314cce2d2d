package dev.comfygateway.prompt;

import dev.comfygateway.cache.Lookup;
import dev.comfygateway.server.Wait;
import java.util.concurrent.CompletableFuture;
import org.apache.catalina.core.StandardContext;

/**
 * Wait of a caller whose request has not been read.
 *
 * @param answer what the caller waits for
 * @param start when the request came, by {@link System#nanoTime()}
 * @param server counts those who wait, and does not end before they have their answer
 */
record PromptWait(CompletableFuture<Lookup> answer, long start, StandardContext server) implements Wait {

	@Override
	public void begin() {
		server.incrementInProgressAsyncCount();
	}

	@Override
	public void end() {
		server.decrementInProgressAsyncCount();
	}

}
