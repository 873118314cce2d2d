package dev.comfygateway.web;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.cache.PromptCache;
import dev.comfygateway.server.Endpoint;
import dev.comfygateway.server.PlacedHandler;
import dev.comfygateway.server.Lane;
import dev.comfygateway.tracing.TracingSwitch;
import io.micrometer.common.KeyValue;
import java.util.List;
import java.util.Set;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.server.observation.DefaultServerRequestObservationConvention;
import org.springframework.http.server.observation.ServerRequestObservationContext;
import org.springframework.http.server.observation.ServerRequestObservationConvention;

/** Wiring of {@code /api/prompt} into the server. */
@Configuration(proxyBeanMethods = false)
class PromptConfiguration {

	private static final Set<String> METHODS = Set.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS",
			"TRACE");

	@Bean
	Endpoint promptEndpoint() {
		return Endpoint.api(PromptController.PATH, Lane.WAITING);
	}

	/** CORS, if any origin is allowed. */
	@Bean
	PlacedHandler cors(GatewayProperties properties, List<Endpoint> endpoints) {
		List<Endpoint> readable = endpoints.stream().filter(Endpoint::crossOrigin).toList();
		return new PlacedHandler(PlacedHandler.Place.HEADERS,
				properties.allowedOrigins().isEmpty() ? null : new CorsHandler(properties.allowedOrigins(), readable));
	}

	/**
	 * The accelerator. With tracing there is none, since every request needs Spring's
	 * filter.
	 */
	@Bean
	@ConditionalOnBooleanProperty(name = TracingSwitch.ENABLED, havingValue = false)
	PlacedHandler freshAnswers(PromptCache cache, PromptAnswers answers, PromptMetrics metrics) {
		return new PlacedHandler(PlacedHandler.Place.ACCELERATOR, new FreshAnswers(cache, answers, metrics));
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
