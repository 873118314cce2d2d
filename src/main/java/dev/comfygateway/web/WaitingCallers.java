package dev.comfygateway.web;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.cache.Lookup;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import org.springframework.stereotype.Component;

/**
 * Bulkhead for callers who wait for a fetch. Each holds a virtual thread, whose stack
 * must fit in the heap together with those of all others: about 19 KiB.
 */
@Component
class WaitingCallers {

	private final int max;

	private final Semaphore permits;

	WaitingCallers(GatewayProperties properties, MeterRegistry meters) {
		this.max = properties.maxWaiting();
		this.permits = new Semaphore(max);
		Gauge.builder("comfy.gateway.callers.waiting", this, WaitingCallers::count)
			.description("Callers of /api/prompt who wait for a fetch")
			.register(meters);
	}

	/**
	 * Waits for an answer, which comes within the upstream's deadline. Absent where too
	 * many callers wait already.
	 * @throws java.util.concurrent.CompletionException where the fetch ended in a bug
	 */
	Optional<Lookup> await(Lookup.Awaited awaited) {
		if (!permits.tryAcquire()) {
			return Optional.empty();
		}
		try {
			return Optional.of(awaited.answer().join());
		}
		finally {
			permits.release();
		}
	}

	/** Callers who wait now. */
	int count() {
		return max - permits.availablePermits();
	}

}
