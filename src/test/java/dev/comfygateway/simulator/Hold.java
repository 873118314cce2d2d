package dev.comfygateway.simulator;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;

/** Gate that blocks requests, for tests that need a request in flight. */
public final class Hold {

	private final Semaphore arrivals = new Semaphore(0);

	private final CompletableFuture<Void> released = new CompletableFuture<>();

	Hold() {
	}

	/**
	 * Waits until {@code count} requests in total have arrived at the gate.
	 * @throws AssertionError if they do not arrive within 10 seconds
	 */
	public void awaitArrival(int count) {
		SimulatedComfyCloud.await(arrivals, count, "arrived at the gate");
	}

	/** Releases the blocked requests. Later ones are not blocked. */
	public void release() {
		released.complete(null);
	}

	void pass(CompletableFuture<Void> gone) {
		arrivals.release();
		CompletableFuture.anyOf(released, gone).join();
	}

}
