package dev.comfygateway.web;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.cache.Lookup;
import dev.comfygateway.error.ErrorAnswer;
import dev.comfygateway.error.RefusalLog;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/**
 * Bulkhead for callers that wait for a fetch. Each occupies a virtual thread, whose stack
 * takes about 25 KiB of the heap.
 */
@Component
class WaitingCallers {

	private static final Logger log = LoggerFactory.getLogger(WaitingCallers.class);

	private final int max;

	private final Semaphore permits;

	private final RefusalLog refusals;

	WaitingCallers(GatewayProperties properties, MeterRegistry meters) {
		this.max = properties.maxWaiting();
		this.permits = new Semaphore(max);
		this.refusals = new RefusalLog(log, ErrorAnswer.tooManyWaiting().code(),
				max + " wait, the most by gateway.max-waiting");
		Gauge.builder("comfy.gateway.callers.waiting", this, WaitingCallers::count)
			.description("Callers of /api/prompt that wait for a fetch")
			.register(meters);
	}

	/**
	 * Waits for an answer, within the upstream's deadline. Absent where no permit is
	 * left.
	 * @throws java.util.concurrent.CompletionException where the fetch ended in a bug
	 */
	Optional<Lookup> await(Lookup.Awaited awaited) {
		if (!permits.tryAcquire()) {
			refusals.refused();
			return Optional.empty();
		}
		try {
			return Optional.of(awaited.answer().join());
		}
		finally {
			permits.release();
		}
	}

	@Scheduled(fixedDelayString = "10s")
	void review() {
		refusals.review();
	}

	/** Number of waiting callers. */
	int count() {
		return max - permits.availablePermits();
	}

}
