package dev.comfygateway.error;

import io.swagger.v3.oas.models.examples.Example;
import io.swagger.v3.oas.models.headers.Header;
import io.swagger.v3.oas.models.media.Content;
import io.swagger.v3.oas.models.media.MediaType;
import io.swagger.v3.oas.models.media.Schema;
import io.swagger.v3.oas.models.media.StringSchema;
import io.swagger.v3.oas.models.responses.ApiResponse;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.springframework.http.HttpHeaders;

/**
 * Description of errors in the OpenAPI document, the same for every operation. The
 * examples are the answers themselves, and headers refer to the document's components.
 */
public final class ErrorDescription {

	/** Component of {@code Cache-Control} for what is never stored. */
	public static final String NO_STORE = "No-Store";

	/** Statuses with which the server refuses a request to any path, or fails. */
	private static final List<Integer> OF_SERVER = List.of(400, 404, 405, 414, 417, 431, 500, 501, 503, 505);

	private ErrorDescription() {
	}

	/** Describes the errors of any path, by status. */
	public static Map<String, ApiResponse> ofServer(String gatewayName) {
		Map<String, ApiResponse> responses = new LinkedHashMap<>();
		for (int status : OF_SERVER) {
			responses.put(Integer.toString(status),
					describe(gatewayName, List.of(ErrorAnswer.ofStatus(status)), status == 503));
		}
		return responses;
	}

	/** Describes errors of one status, each by its code. */
	public static ApiResponse describe(String gatewayName, Collection<ErrorAnswer> errors, boolean retryAfter) {
		Map<String, ErrorAnswer> examples = new LinkedHashMap<>();
		errors.forEach(error -> examples.put(error.code().toLowerCase(Locale.ROOT), error));
		return describe(gatewayName, examples, retryAfter);
	}

	/**
	 * Describes errors of one status.
	 * @param errors errors by the names of their examples
	 * @param retryAfter whether they can say when to ask again
	 */
	public static ApiResponse describe(String gatewayName, Map<String, ErrorAnswer> errors, boolean retryAfter) {
		Map<String, Example> bodies = new LinkedHashMap<>();
		Map<String, Example> proxyStatuses = new LinkedHashMap<>();
		errors.forEach((name, error) -> {
			bodies.put(name, new Example().value(error.body()));
			proxyStatuses.put(name, new Example().value(gatewayName + "; " + error.proxyStatus()));
		});
		ApiResponse response = new ApiResponse()
			.description(errors.values()
				.stream()
				.map(error -> error.body().message())
				.distinct()
				.collect(Collectors.joining(" ")))
			.addHeaderObject(ErrorAnswer.PROXY_STATUS,
					new Header().description("What failed (RFC 9209)")
						.schema(new StringSchema())
						.required(true)
						.examples(proxyStatuses))
			.addHeaderObject(HttpHeaders.CACHE_CONTROL, component(NO_STORE))
			.content(new Content().addMediaType("application/json",
					new MediaType().schema(new Schema<>().$ref(ErrorResponse.class.getSimpleName())).examples(bodies)));
		if (retryAfter) {
			response.addHeaderObject(HttpHeaders.RETRY_AFTER, component(HttpHeaders.RETRY_AFTER));
		}
		int status = errors.values().iterator().next().status();
		if (status == 401) {
			response.addHeaderObject(HttpHeaders.WWW_AUTHENTICATE, component(HttpHeaders.WWW_AUTHENTICATE));
		}
		if (status == 405) {
			response.addHeaderObject(HttpHeaders.ALLOW, component(HttpHeaders.ALLOW));
		}
		return response;
	}

	/** Header that the document's components describe. */
	public static Header component(String name) {
		return new Header().$ref(name);
	}

}
