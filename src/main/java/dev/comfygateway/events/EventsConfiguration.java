package dev.comfygateway.events;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.server.Endpoint;
import dev.comfygateway.server.ChainedHandler;
import dev.comfygateway.server.Lane;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/** Configuration of the stream's handler and thread. */
@Configuration(proxyBeanMethods = false)
class EventsConfiguration {

	/** Endpoint of the stream, which itself occupies no thread. */
	@Bean
	Endpoint eventsEndpoint() {
		return Endpoint.api(EventsHandler.PATH, Lane.OTHER);
	}

	@Bean
	ChainedHandler events(EventStream stream, GatewayProperties properties, ListenerLimit limit) {
		return new ChainedHandler(ChainedHandler.Position.EVENTS, new EventsHandler(stream, properties.name(), limit));
	}

	/** Scheduler with the single thread of the stream. */
	@Bean(destroyMethod = "dispose")
	@ConditionalOnMissingBean(name = "eventScheduler")
	Scheduler eventScheduler() {
		return Schedulers.newSingle("events", true);
	}

}
