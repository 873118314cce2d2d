package dev.comfygateway.openapi;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.server.Endpoint;
import io.swagger.v3.core.util.Yaml;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.headers.Header;
import java.io.IOException;
import java.util.Map;
import java.util.Objects;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.info.BuildProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.io.ClassPathResource;
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

	/** Creates the document from its static part, the settings and the version. */
	@Bean
	@Lazy
	OpenAPI openApi(GatewayProperties properties, ObjectProvider<BuildProperties> build) throws IOException {
		OpenAPI document = Yaml.mapper()
			.readValue(new ClassPathResource("openapi/document.yaml").getInputStream(), OpenAPI.class);
		BuildProperties built = build.getIfAvailable();
		document.getInfo()
			.title(properties.name())
			.version(built == null ? "unknown" : built.getVersion())
			.description("Serves Comfy Cloud's `GET /api/prompt` to callers without an API key."
					// Relative both to Swagger UI and to the document
					+ (properties.page().enabled() ? " [The queue as a page](../)." : ""));
		long freshFor = properties.freshFor().toSeconds();
		Map<String, Header> headers = document.getComponents().getHeaders();
		Objects.requireNonNull(headers.get("Cache-Control"))
			.example(freshFor == 0 ? "no-cache" : "max-age=" + freshFor);
		Objects.requireNonNull(headers.get("Cache-Status")).example(properties.name() + "; hit; ttl=1");
		return document;
	}

}
