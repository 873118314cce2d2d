package dev.comfygateway.web;

import dev.comfygateway.GatewayProperties;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.server.ServerHttpResponse;
import org.springframework.stereotype.Component;
import org.springframework.web.cors.CorsConfiguration;
import org.springframework.web.cors.CorsConfigurationSource;
import org.springframework.web.cors.CorsUtils;
import org.springframework.web.cors.DefaultCorsProcessor;

/**
 * CORS policy: web pages that may read an answer. A request of another origin is not
 * refused, as Spring would do. It gets the answer without CORS headers, and its browser
 * withholds the answer from the page.
 */
@Component
class Cors extends DefaultCorsProcessor implements CorsConfigurationSource {

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

	/** Values of {@code Vary} that Spring adds to every answer, in its order. */
	List<String> vary() {
		return enabled ? List.of(HttpHeaders.ORIGIN, HttpHeaders.ACCESS_CONTROL_REQUEST_METHOD,
				HttpHeaders.ACCESS_CONTROL_REQUEST_HEADERS) : List.of();
	}

	@Override
	public @Nullable CorsConfiguration getCorsConfiguration(HttpServletRequest request) {
		return enabled && isPrompt(request) ? configuration : null;
	}

	@Override
	public boolean processRequest(@Nullable CorsConfiguration config, HttpServletRequest request,
			HttpServletResponse response) throws IOException {
		if (config != null) {
			super.processRequest(config, request, response);
		}
		if (CorsUtils.isPreFlightRequest(request)) {
			// No handler behind the filter sees it
			if (isPrompt(request)) {
				response.setStatus(HttpServletResponse.SC_NO_CONTENT);
				response.setHeader(HttpHeaders.ALLOW, PromptController.METHODS);
			}
			else {
				response.sendError(HttpServletResponse.SC_FORBIDDEN);
			}
		}
		return true;
	}

	@Override
	protected void rejectRequest(ServerHttpResponse response) {
		// The missing header is the refusal
	}

	private static boolean isPrompt(HttpServletRequest request) {
		return request.getServletPath().equals(PromptController.PATH);
	}

}
