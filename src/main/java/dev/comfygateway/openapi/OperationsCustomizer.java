package dev.comfygateway.openapi;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.error.ErrorResponse;
import dev.comfygateway.error.GatewayError;
import io.swagger.v3.core.converter.ModelConverters;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.Operation;
import io.swagger.v3.oas.models.examples.Example;
import io.swagger.v3.oas.models.headers.Header;
import io.swagger.v3.oas.models.media.Content;
import io.swagger.v3.oas.models.media.MediaType;
import io.swagger.v3.oas.models.media.Schema;
import io.swagger.v3.oas.models.media.StringSchema;
import io.swagger.v3.oas.models.responses.ApiResponse;
import io.swagger.v3.oas.models.responses.ApiResponses;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.springdoc.core.customizers.OpenApiCustomizer;
import org.springframework.context.annotation.Lazy;
import org.springframework.http.HttpHeaders;
import org.springframework.stereotype.Component;

/**
 * Customizer of all operations. It adds the tag and the error responses, with the actual
 * bodies as examples.
 */
@Component
@Lazy
class OperationsCustomizer implements OpenApiCustomizer {

	/** Statuses of errors that any path can have. */
	private static final List<Integer> COMMON = List.of(400, 404, 405, 414, 417, 431, 500, 501, 503, 505);

	/** Headers by the status of an error. */
	private static final Map<Integer, String> HEADERS = Map.of(401, HttpHeaders.WWW_AUTHENTICATE, 405,
			HttpHeaders.ALLOW, 503, HttpHeaders.RETRY_AFTER);

	private final String gatewayName;

	private final List<PathCustomizer> paths;

	OperationsCustomizer(GatewayProperties properties, List<PathCustomizer> paths) {
		this.gatewayName = properties.name();
		this.paths = paths;
	}

	@Override
	public void customise(OpenAPI document) {
		String tag = document.getTags().getFirst().getName();
		document.getComponents().getSchemas().putAll(ModelConverters.getInstance().read(ErrorResponse.class));
		document.getPaths().forEach((path, item) -> {
			for (Operation operation : item.readOperations()) {
				addErrors(operation.addTagsItem(tag).getResponses(), path);
				operation.getResponses().values().forEach(OperationsCustomizer::removeStyles);
			}
			if (item.getHead() != null) {
				item.getHead().getResponses().replaceAll((status, response) -> withoutBody(response));
			}
		});
	}

	/** Adds the errors of the path alone, and then those of any path. */
	private void addErrors(ApiResponses responses, String path) {
		Map<GatewayError, String> names = new LinkedHashMap<>();
		paths.stream().filter(customizer -> customizer.path().equals(path)).forEach(it -> names.putAll(it.errors()));
		List<GatewayError> own = List.copyOf(names.keySet());
		COMMON.stream()
			.map(GatewayError::ofStatus)
			.forEach(error -> names.putIfAbsent(error, error.code().toLowerCase(Locale.ROOT)));
		names.keySet().stream().collect(Collectors.groupingBy(GatewayError::status)).forEach((status, errors) -> {
			ApiResponse response = response(errors, names);
			if (HEADERS.containsKey(status)) {
				addHeader(response, HEADERS.get(status));
			}
			if (errors.stream().anyMatch(own::contains)) {
				addHeader(response, HttpHeaders.RETRY_AFTER);
			}
			responses.addApiResponse(Integer.toString(status), response);
		});
	}

	private ApiResponse response(List<GatewayError> errors, Map<GatewayError, String> names) {
		MediaType body = new MediaType().schema(new Schema<>().$ref(ErrorResponse.class.getSimpleName()));
		Header proxyStatus = new Header().description("Cause of the error (RFC 9209)")
			.schema(new StringSchema())
			.required(true);
		for (GatewayError error : errors) {
			body.addExamples(names.get(error), new Example().value(error.body()));
			proxyStatus.addExample(names.get(error), new Example().value(gatewayName + "; " + error.proxyStatus()));
		}
		return new ApiResponse()
			.description(
					errors.stream().map(error -> error.body().message()).distinct().collect(Collectors.joining(" ")))
			.addHeaderObject(GatewayError.PROXY_STATUS, proxyStatus)
			.addHeaderObject(HttpHeaders.CACHE_CONTROL, new Header().$ref("No-Store"))
			.content(new Content().addMediaType("application/json", body));
	}

	private static void addHeader(ApiResponse response, String component) {
		response.addHeaderObject(component, new Header().$ref(component));
	}

	private static ApiResponse withoutBody(ApiResponse response) {
		return new ApiResponse().description(response.getDescription()).headers(response.getHeaders());
	}

	/** Removes the style, which annotations always set. Headers have only one. */
	private static void removeStyles(ApiResponse response) {
		if (response.getHeaders() != null) {
			response.getHeaders().values().forEach(header -> header.setStyle(null));
		}
	}

}
