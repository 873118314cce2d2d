package dev.comfygateway.events;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.error.ErrorAnswer;
import dev.comfygateway.error.RefusalLog;
import dev.comfygateway.server.ConnectionShare;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.LoggerFactory;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/** Limit of the number of listeners: a permit for each, and a log of refusals. */
@Component
class ListenerLimit {

	private final int max;

	private final AtomicInteger permits = new AtomicInteger();

	private final Counter refused;

	private final RefusalLog refusals;

	ListenerLimit(GatewayProperties properties, ConnectionShare connections, MeterRegistry meters) {
		this.max = connections.bound("gateway.events.max-listeners", properties.events().maxListeners());
		this.refused = Counter.builder("comfy.gateway.listeners.refused")
			.description("Callers beyond the bound of listeners")
			.register(meters);
		this.refusals = new RefusalLog(LoggerFactory.getLogger(ListenerLimit.class),
				ErrorAnswer.tooManyListeners().code(), max + " listen, the most by gateway.events.max-listeners");
		Gauge.builder("comfy.gateway.listeners", permits, AtomicInteger::get)
			.description("Listeners of /api/prompt/events")
			.register(meters);
	}

	/** Acquires a permit, if one is left. */
	boolean tryAcquire() {
		if (permits.incrementAndGet() <= max) {
			return true;
		}
		permits.decrementAndGet();
		refused.increment();
		refusals.refused();
		return false;
	}

	void release() {
		permits.decrementAndGet();
	}

	@Scheduled(fixedDelayString = "10s")
	void reviewRefusals() {
		refusals.review();
	}

}
