package dev.comfygateway.prompt;

import dev.comfygateway.GatewayProperties;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.springframework.http.HttpHeaders;
import org.springframework.http.server.ServerHttpResponse;
import org.springframework.stereotype.Component;
import org.springframework.web.cors.CorsConfiguration;
import org.springframework.web.cors.DefaultCorsProcessor;

/**
 * Permission for web pages to read an answer. A page of another origin is not refused, as
 * Spring would: it gets the answer without permission, and its browser keeps it from the
 * page.
 */
@Component
class Cors extends DefaultCorsProcessor {

	private final CorsConfiguration configuration = new CorsConfiguration();

	private final boolean enabled;

	Cors(GatewayProperties properties) {
		this.enabled = !properties.allowedOrigins().isEmpty();
		configuration.setAllowedOrigins(properties.allowedOrigins());
		configuration.setAllowedMethods(List.of("GET", "HEAD"));
		configuration.setAllowedHeaders(List.of(CorsConfiguration.ALL));
		configuration.setExposedHeaders(
				List.of(HttpHeaders.AGE, "Cache-Status", HttpHeaders.ETAG, "Proxy-Status", HttpHeaders.RETRY_AFTER));
		configuration.setMaxAge(Duration.ofHours(1));
	}

	void apply(HttpServletRequest request, HttpServletResponse response) throws IOException {
		if (enabled) {
			processRequest(configuration, request, response);
		}
	}

	@Override
	protected void rejectRequest(ServerHttpResponse response) {
		// No permission is enough
	}

}
