package dev.comfygateway.openapi;

import io.swagger.v3.oas.models.Operation;
import io.swagger.v3.oas.models.examples.Example;
import io.swagger.v3.oas.models.headers.Header;
import io.swagger.v3.oas.models.media.Content;
import io.swagger.v3.oas.models.media.MediaType;
import io.swagger.v3.oas.models.media.Schema;
import io.swagger.v3.oas.models.media.StringSchema;
import io.swagger.v3.oas.models.responses.ApiResponse;
import dev.comfygateway.error.GatewayError;
import dev.comfygateway.error.ErrorResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.springframework.http.HttpHeaders;

/**
 * Error responses of an operation in the OpenAPI document. The examples are the actual
 * bodies. Headers refer to the document's components.
 */
public final class ErrorDescriptions {

	/** Name of the header component for {@code Cache-Control: no-store}. */
	public static final String NO_STORE = "No-Store";

	/** Statuses of errors that any path can have. */
	private static final List<Integer> OF_SERVER = List.of(400, 404, 405, 414, 417, 431, 500, 501, 503, 505);

	private ErrorDescriptions() {
	}

	/**
	 * Adds the errors of an operation: its specific errors first, then those of any path.
	 * @param gatewayName the gateway's name in {@code Proxy-Status}
	 * @param own errors of this operation alone, which can have {@code Retry-After}
	 */
	public static void add(Operation operation, String gatewayName, List<Named> own) {
		List<Named> all = new ArrayList<>(own);
		OF_SERVER.stream()
			.map(GatewayError::ofStatus)
			.filter(error -> own.stream().noneMatch(named -> named.error.equals(error)))
			.forEach(error -> all.add(new Named(error.code().toLowerCase(Locale.ROOT), error)));
		all.stream().collect(Collectors.groupingBy(named -> named.error.status())).forEach((status, errors) -> {
			ApiResponse response = response(status, errors, gatewayName);
			if (status == 503 || own.stream().anyMatch(named -> named.error.status() == status)) {
				addHeader(response, HttpHeaders.RETRY_AFTER);
			}
			operation.getResponses().addApiResponse(Integer.toString(status), response);
		});
	}

	private static ApiResponse response(int status, List<Named> errors, String gatewayName) {
		MediaType body = new MediaType().schema(new Schema<>().$ref(ErrorResponse.class.getSimpleName()));
		Header proxyStatus = new Header().description("Cause of the error (RFC 9209)")
			.schema(new StringSchema())
			.required(true);
		for (Named named : errors) {
			body.addExamples(named.name, new Example().value(named.error.body()));
			proxyStatus.addExample(named.name, new Example().value(gatewayName + "; " + named.error.proxyStatus()));
		}
		ApiResponse response = new ApiResponse().description(
				errors.stream().map(named -> named.error.body().message()).distinct().collect(Collectors.joining(" ")))
			.addHeaderObject(GatewayError.PROXY_STATUS, proxyStatus)
			.addHeaderObject(HttpHeaders.CACHE_CONTROL, new Header().$ref(NO_STORE))
			.content(new Content().addMediaType("application/json", body));
		switch (status) {
			case 401 -> addHeader(response, HttpHeaders.WWW_AUTHENTICATE);
			case 405 -> addHeader(response, HttpHeaders.ALLOW);
			default -> {
			}
		}
		return response;
	}

	private static void addHeader(ApiResponse response, String component) {
		response.addHeaderObject(component, new Header().$ref(component));
	}

	/**
	 * Error of an operation.
	 *
	 * @param name name of its example, unique among those of its status
	 */
	public record Named(String name, GatewayError error) {
	}

}
