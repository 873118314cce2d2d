package dev.comfygateway.web;

import dev.comfygateway.cache.PromptCache;
import dev.comfygateway.tracing.TracingSwitch;
import io.micrometer.common.KeyValue;
import java.util.Set;
import org.springframework.boot.jetty.servlet.JettyServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;
import org.springframework.http.server.observation.DefaultServerRequestObservationConvention;
import org.springframework.http.server.observation.ServerRequestObservationContext;
import org.springframework.http.server.observation.ServerRequestObservationConvention;
import org.springframework.web.filter.CorsFilter;

/** Wiring of {@code /api/prompt} into the server. */
@Configuration(proxyBeanMethods = false)
class PromptConfiguration {

	private static final Set<String> METHODS = Set.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS",
			"TRACE");

	/**
	 * Inserts the accelerator as the first handler. With tracing every request needs
	 * Spring's filter, so there is no accelerator.
	 */
	@Bean
	WebServerFactoryCustomizer<JettyServletWebServerFactory> freshAnswers(PromptCache cache, PromptAnswers answers,
			PromptMetrics metrics, Cors cors, Environment environment) {
		return factory -> {
			if (!TracingSwitch.isOn(environment)) {
				factory.addServerCustomizers(
						server -> server.insertHandler(new FreshAnswers(cache, answers, metrics, cors)));
			}
		};
	}

	@Bean
	CorsFilter corsFilter(Cors cors) {
		CorsFilter filter = new CorsFilter(cors);
		filter.setCorsProcessor(cors);
		return filter;
	}

	/** Maps unknown methods to one label: callers can send any. */
	@Bean
	ServerRequestObservationConvention serverRequestObservationConvention() {
		return new DefaultServerRequestObservationConvention() {
			@Override
			protected KeyValue method(ServerRequestObservationContext context) {
				KeyValue method = super.method(context);
				return METHODS.contains(method.getValue()) ? method : KeyValue.of(method.getKey(), "UNKNOWN");
			}
		};
	}

}
