package dev.comfygateway.openapi;

import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.servers.Server;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.springdoc.core.customizers.SpringDocCustomizers;
import org.springdoc.core.properties.SpringDocConfigProperties;
import org.springdoc.core.providers.SpringDocProviders;
import org.springdoc.core.service.AbstractRequestService;
import org.springdoc.core.service.GenericResponseService;
import org.springdoc.core.service.OpenAPIService;
import org.springdoc.core.service.OperationService;
import org.springdoc.core.utils.Constants;
import org.springdoc.webmvc.api.OpenApiWebMvcResource;
import org.springframework.beans.factory.ObjectFactory;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.DependsOn;
import org.springframework.context.annotation.Lazy;
import org.springframework.stereotype.Component;

/**
 * Controller of the OpenAPI document. The server URL in the document is the path prefix
 * of the gateway behind a proxy, according to {@code X-Forwarded-Prefix}. It depends on
 * springdoc's converters without a reference to them.
 */
@Component
@Lazy
@DependsOn("modelConverterRegistrar")
@ConditionalOnProperty(name = Constants.SPRINGDOC_ENABLED, matchIfMissing = true)
class PrefixedOpenApi extends OpenApiWebMvcResource {

	static final String PREFIX = "X-Forwarded-Prefix";

	/** Pattern of a path of plain segments, which no browser resolves to another host. */
	private static final Pattern PATH = Pattern.compile("(?:/(?!\\.{1,2}(?:/|$))[A-Za-z0-9._-]+)+/?");

	PrefixedOpenApi(ObjectFactory<OpenAPIService> builder, AbstractRequestService requests,
			GenericResponseService responses, OperationService operations, SpringDocConfigProperties properties,
			SpringDocProviders providers, SpringDocCustomizers customizers) {
		super(builder, requests, responses, operations, properties, providers, customizers);
	}

	@Override
	protected String getServerUrl(HttpServletRequest request, String apiDocsUrl) {
		List<String> prefixes = Collections.list(request.getHeaders(PREFIX));
		if (prefixes.size() != 1 || !PATH.matcher(prefixes.getFirst()).matches()) {
			return "/";
		}
		String prefix = prefixes.getFirst();
		return prefix.endsWith("/") ? prefix.substring(0, prefix.length() - 1) : prefix;
	}

	/**
	 * Returns a copy with the server of this request, since all requests share
	 * springdoc's document.
	 */
	@Override
	protected OpenAPI getOpenApi(String serverUrl, Locale locale) {
		OpenAPI shared = super.getOpenApi(serverUrl, locale);
		return new OpenAPI(shared.getSpecVersion()).openapi(shared.getOpenapi())
			.info(shared.getInfo())
			.servers(List.of(new Server().url(serverUrl)))
			.security(shared.getSecurity())
			.tags(shared.getTags())
			.paths(shared.getPaths())
			.components(shared.getComponents());
	}

}
