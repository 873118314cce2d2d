package dev.comfygateway.server;

import dev.comfygateway.GatewayProperties;
import io.micrometer.common.KeyValue;
import java.util.List;
import java.util.Set;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.server.observation.DefaultServerRequestObservationConvention;
import org.springframework.http.server.observation.ServerRequestObservationContext;
import org.springframework.http.server.observation.ServerRequestObservationConvention;

/** Configuration that all endpoints of the callers' port share. */
@Configuration(proxyBeanMethods = false)
class ApiConfiguration {

	private static final Set<String> METHODS = Set.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS",
			"TRACE");

	/** CORS handler, if any origin is allowed. */
	@Bean
	ChainedHandler cors(GatewayProperties properties, List<Endpoint> endpoints) {
		List<Endpoint> readable = endpoints.stream().filter(Endpoint::crossOrigin).toList();
		return new ChainedHandler(ChainedHandler.Position.HEADERS,
				properties.allowedOrigins().isEmpty() ? null : new CorsHandler(properties.allowedOrigins(), readable));
	}

	/** Maps unknown methods to one label value, since callers can send any method. */
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
