package dev.comfygateway.prompt;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.cache.Lookup;
import dev.comfygateway.error.GatewayError;
import dev.comfygateway.log.RejectionLog;
import dev.comfygateway.server.ConnectionShare;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/** Limit of the callers that wait for a fetch. */
@Component
class WaitingCallers {

	private static final Logger log = LoggerFactory.getLogger(WaitingCallers.class);

	private final int max;

	private final Semaphore permits;

	private final RejectionLog rejections;

	WaitingCallers(GatewayProperties properties, ConnectionShare connections, MeterRegistry meters) {
		this.max = connections.maxWaiting(properties.maxWaiting());
		this.permits = new Semaphore(max);
		this.rejections = new RejectionLog(log, GatewayError.tooManyWaiting().code(),
				max + " waiting, limit gateway.max-waiting reached");
		Gauge.builder("comfy.gateway.callers.waiting", this, WaitingCallers::count)
			.description("Callers of /api/prompt that wait for a fetch")
			.register(meters);
	}

	/**
	 * Looks up an answer, and holds a permit until it is complete. Empty if no permit is
	 * available. In that case no lookup is made, since a waiting lookup uses memory until
	 * the fetch ends.
	 * @return answer that completes within the upstream's deadline; exceptionally if the
	 * fetch failed with an unexpected exception
	 */
	Optional<CompletableFuture<Lookup>> join(Supplier<Lookup> lookup) {
		if (!permits.tryAcquire()) {
			rejections.countRejection();
			return Optional.empty();
		}
		CompletableFuture<Lookup> answer;
		try {
			Lookup found = lookup.get();
			answer = found instanceof Lookup.Awaited awaited ? awaited.answer()
					: CompletableFuture.completedFuture(found);
		}
		catch (RuntimeException | Error unexpected) {
			permits.release();
			throw unexpected;
		}
		return Optional.of(answer.whenComplete((found, unexpected) -> permits.release()));
	}

	@Scheduled(fixedDelayString = "10s")
	void logEndOfRejections() {
		rejections.logEnd();
	}

	/** Returns the number of waiting callers. */
	int count() {
		return max - permits.availablePermits();
	}

}
