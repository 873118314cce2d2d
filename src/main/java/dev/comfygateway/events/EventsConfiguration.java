package dev.comfygateway.events;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.server.FrontHandler;
import dev.comfygateway.server.HeapBudget;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/** Wiring of the stream into the server, and its description. */
@Configuration(proxyBeanMethods = false)
class EventsConfiguration {

	@Bean
	FrontHandler events(EventStream stream, GatewayProperties properties, HeapBudget heap) {
		return new FrontHandler(FrontHandler.Place.STREAM, new EventsHandler(stream, properties.name(), heap));
	}

	/** Thread of the stream. */
	@Bean(destroyMethod = "dispose")
	@ConditionalOnMissingBean(name = "eventScheduler")
	Scheduler eventScheduler() {
		return Schedulers.newSingle("events", true);
	}

	@Bean
	@Lazy
	EventsOperation eventsOperation(GatewayProperties properties) {
		return new EventsOperation(properties);
	}

}
