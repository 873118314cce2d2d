package dev.comfygateway.events;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.error.GatewayError;
import dev.comfygateway.log.RejectionLog;
import dev.comfygateway.server.ConnectionShare;
import dev.comfygateway.server.HeapBudget;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.jetty.server.Request;
import org.slf4j.LoggerFactory;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/** Limit of listeners, by their number and by heap. Rejections are counted and logged. */
@Component
class ListenerLimit {

	private final int max;

	private final HeapBudget heap;

	private final AtomicInteger acquired = new AtomicInteger();

	private final Counter rejected;

	private final RejectionLog rejections;

	ListenerLimit(GatewayProperties properties, ConnectionShare connections, HeapBudget heap, MeterRegistry meters) {
		this.heap = heap;
		this.max = connections.maxListeners(properties.events().maxListeners());
		this.rejected = Counter.builder("comfy.gateway.listeners.refused")
			.description("Listeners rejected because a limit was reached")
			.register(meters);
		this.rejections = new RejectionLog(LoggerFactory.getLogger(ListenerLimit.class),
				GatewayError.tooManyListeners().code(), max + " listening, limit gateway.events.max-listeners reached");
		Gauge.builder("comfy.gateway.listeners", acquired, AtomicInteger::get)
			.description("Listeners of /api/prompt/events")
			.register(meters);
	}

	/**
	 * Acquires a permit, if one is available and the heap has room for the request.
	 * @return action that releases the permit; empty if the request is rejected
	 */
	Optional<Runnable> tryAcquire(Request request) {
		if (acquired.incrementAndGet() > max) {
			rejections.countRejection();
			return reject();
		}
		Optional<Runnable> unpark = heap.park(request);
		if (unpark.isEmpty()) {
			heap.countRejection();
			return reject();
		}
		return Optional.of(() -> {
			acquired.decrementAndGet();
			unpark.get().run();
		});
	}

	private Optional<Runnable> reject() {
		acquired.decrementAndGet();
		rejected.increment();
		return Optional.empty();
	}

	@Scheduled(fixedDelayString = "10s")
	void logEndOfRejections() {
		rejections.logEnd();
	}

}
