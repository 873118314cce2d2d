package dev.comfygateway.openapi;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.server.Endpoint;
import io.swagger.v3.oas.models.Components;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.headers.Header;
import io.swagger.v3.oas.models.info.Contact;
import io.swagger.v3.oas.models.info.Info;
import io.swagger.v3.oas.models.info.License;
import io.swagger.v3.oas.models.media.IntegerSchema;
import io.swagger.v3.oas.models.media.StringSchema;
import io.swagger.v3.oas.models.servers.Server;
import io.swagger.v3.oas.models.tags.Tag;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.info.BuildProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.http.HttpHeaders;
import org.springframework.validation.Validator;
import org.springframework.web.servlet.config.annotation.InterceptorRegistry;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;
import org.springframework.web.servlet.mvc.WebContentInterceptor;

/**
 * Configuration of the OpenAPI document, which springdoc creates on the first request.
 */
@Configuration(proxyBeanMethods = false)
class OpenApiConfiguration implements WebMvcConfigurer {

	/** Adds {@code Vary} to the document and Swagger UI. */
	@Override
	public void addInterceptors(InterceptorRegistry registry) {
		WebContentInterceptor vary = new WebContentInterceptor();
		vary.setVaryByRequestHeaders(PrefixedOpenApi.PREFIX);
		registry.addInterceptor(vary)
			.addPathPatterns("/v3/api-docs/**", "/v3/api-docs.yaml", "/swagger-ui/**", "/swagger-ui.html");
	}

	/**
	 * Disables validation. Springdoc depends on the Bean Validation API, for which Spring
	 * MVC would otherwise search for a provider.
	 */
	@Override
	public Validator getValidator() {
		return Validator.forInstanceOf(Object.class, (target, errors) -> {
		});
	}

	@Bean
	Endpoint openApiEndpoint() {
		return Endpoint.files("/v3/api-docs", "/swagger-ui");
	}

	@Bean
	@Lazy
	OpenAPI openApi(GatewayProperties properties, ObjectProvider<BuildProperties> build) {
		BuildProperties built = build.getIfAvailable();
		return new OpenAPI()
			.info(new Info().title(properties.name())
				.version(built == null ? "unknown" : built.getVersion())
				.description("Serves Comfy Cloud's `GET /api/prompt` to callers without an API key."
						// Relative both to Swagger UI and to the document
						+ (properties.page().enabled() ? " [The queue as a page](../)." : ""))
				.contact(new Contact().name("The operator of this gateway"))
				// License of the described API, according to its own contract
				.license(new License().name("GNU General Public License v3.0")
					.url("https://github.com/comfyanonymous/ComfyUI/blob/master/LICENSE")))
			// Otherwise springdoc adds the host of the request
			.servers(List.of(new Server().url("/")))
			.security(List.of())
			.tags(List.of(new Tag().name("workflow").description("The workflow execution queue.")))
			.components(headers(properties));
	}

	private static Components headers(GatewayProperties properties) {
		long freshFor = properties.freshFor().toSeconds();
		return new Components()
			.addHeaders(HttpHeaders.ETAG,
					text("Strong entity tag, a hash of the body", "\"5fa4e2a54d1f9a1ac0ffbf5b9aad0cb5\""))
			.addHeaders(HttpHeaders.CACHE_CONTROL,
					text("Time for which the response is fresh", freshFor == 0 ? "no-cache" : "max-age=" + freshFor))
			.addHeaders("No-Store", text("The response must not be stored", "no-store"))
			.addHeaders("Cache-Status",
					text("How the cache handled the request (RFC 9211)", properties.name() + "; hit; ttl=1"))
			.addHeaders(HttpHeaders.AGE,
					seconds("Age of the answer in seconds, rounded up; absent if it was fetched for this request and"
							+ " the upstream sent no Age"))
			.addHeaders(HttpHeaders.RETRY_AFTER, seconds("Seconds to wait before the next request; absent if unknown"))
			.addHeaders(HttpHeaders.WWW_AUTHENTICATE, text("Required with 401. Callers cannot authenticate", null))
			.addHeaders(HttpHeaders.ALLOW, text("Allowed methods", "GET, HEAD, OPTIONS"));
	}

	private static Header text(String description, @Nullable String example) {
		return new Header().description(description).schema(new StringSchema()).required(true).example(example);
	}

	private static Header seconds(String description) {
		return new Header().description(description).schema(new IntegerSchema()).example(1);
	}

}
