package dev.comfygateway.events;

import dev.comfygateway.GatewayProperties;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.jetty.servlet.JettyServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.web.cors.CorsConfiguration;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/** Wiring of the stream into the server, and its description. */
@Configuration(proxyBeanMethods = false)
class EventsConfiguration {

	@Bean
	WebServerFactoryCustomizer<JettyServletWebServerFactory> events(EventStream stream, GatewayProperties properties) {
		CorsConfiguration cors = new CorsConfiguration();
		cors.setAllowedOrigins(properties.allowedOrigins());
		return factory -> factory.addServerCustomizers(
				server -> server.insertHandler(new EventsHandler(stream, properties.name(), cors::checkOrigin)));
	}

	/** Thread of the stream. */
	@Bean(destroyMethod = "dispose")
	@ConditionalOnMissingBean(name = "eventScheduler")
	Scheduler eventScheduler() {
		return Schedulers.newSingle("events", true);
	}

	@Bean
	@Lazy
	EventsOperation eventsOperation() {
		return new EventsOperation();
	}

}
