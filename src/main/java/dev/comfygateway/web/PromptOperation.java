package dev.comfygateway.web;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.error.ErrorAnswer;
import dev.comfygateway.error.ErrorDescription;
import dev.comfygateway.error.ErrorResponse;
import dev.comfygateway.upstream.PromptInfo;
import dev.comfygateway.upstream.PromptInfo.ExecInfo;
import io.swagger.v3.core.converter.ModelConverters;
import io.swagger.v3.oas.models.Components;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.Operation;
import io.swagger.v3.oas.models.PathItem;
import io.swagger.v3.oas.models.examples.Example;
import io.swagger.v3.oas.models.headers.Header;
import io.swagger.v3.oas.models.media.Content;
import io.swagger.v3.oas.models.media.IntegerSchema;
import io.swagger.v3.oas.models.media.MediaType;
import io.swagger.v3.oas.models.media.Schema;
import io.swagger.v3.oas.models.media.StringSchema;
import io.swagger.v3.oas.models.parameters.HeaderParameter;
import io.swagger.v3.oas.models.responses.ApiResponse;
import io.swagger.v3.oas.models.responses.ApiResponses;
import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springdoc.core.customizers.OpenApiCustomizer;
import org.springdoc.core.customizers.OperationCustomizer;
import org.springframework.http.HttpHeaders;
import org.springframework.web.method.HandlerMethod;

/**
 * Description of {@code /api/prompt} beyond what springdoc reads from the controller. The
 * schemas come from the records, and every error from the code that answers with it, so
 * that document and code cannot part.
 */
class PromptOperation implements OperationCustomizer, OpenApiCustomizer {

	static final String TAG = "workflow";

	private static final String PATH = "/api/prompt";

	/** The contract's name, which is the controller's method's too. */
	private static final String OPERATION_ID = "getPromptInfo";

	private static final String JSON = "application/json";

	private static final String CACHE_STATUS = "Cache-Status";

	private final GatewayProperties properties;

	PromptOperation(GatewayProperties properties) {
		this.properties = properties;
	}

	@Override
	public Operation customize(Operation operation, HandlerMethod handler) {
		if (!OPERATION_ID.equals(operation.getOperationId())) {
			return operation;
		}
		return operation.tags(List.of(TAG))
			.summary("Get information about current prompt execution")
			.description("Returns information about the current prompt in the execution queue. The answer is"
					+ " cached for a moment: `Age` and `Cache-Status` tell. `HEAD` gives the same headers.")
			.parameters(List.of(cacheControl()))
			.responses(responses());
	}

	@Override
	public void customise(OpenAPI document) {
		PathItem prompt = required(document.getPaths().get(PATH));
		prompt.setHead(head(prompt.getGet()));
		prompt.setOptions(null);
		addSchemas(document.getComponents());
		addHeaders(document.getComponents());
	}

	private static HeaderParameter cacheControl() {
		HeaderParameter parameter = new HeaderParameter();
		parameter.name(HttpHeaders.CACHE_CONTROL)
			.description("`no-cache` or `max-age=N` for a newer answer than the cached one, `only-if-cached` for"
					+ " none but the cached one; everything else is ignored")
			.required(false)
			.schema(new StringSchema())
			.example("max-age=1");
		return parameter;
	}

	private ApiResponses responses() {
		ApiResponses responses = new ApiResponses();
		responses.addApiResponse("200",
				described("Success").content(new Content().addMediaType(JSON,
						new MediaType().schema(new Schema<>().$ref(PromptInfo.class.getSimpleName()))
							.addExamples("known", new Example().value(new PromptInfo(new ExecInfo(3L)))))));
		responses.addApiResponse("304", described("The caller has this answer already"));
		errors().forEach((status, errors) -> responses.addApiResponse(Integer.toString(status), response(errors)));
		return responses;
	}

	private static ApiResponse described(String description) {
		ApiResponse response = new ApiResponse().description(description);
		for (String name : List.of(HttpHeaders.ETAG, HttpHeaders.CACHE_CONTROL, CACHE_STATUS, HttpHeaders.AGE)) {
			response.addHeaderObject(name, ErrorDescription.component(name));
		}
		return response;
	}

	private static SortedMap<Integer, List<DocumentedError>> errors() {
		return DocumentedError.all()
			.stream()
			.collect(Collectors.groupingBy(error -> error.answer().status(), TreeMap::new, Collectors.toList()));
	}

	/** Response with one status, which several failures can share. */
	private ApiResponse response(List<DocumentedError> errors) {
		Map<String, ErrorAnswer> answers = new LinkedHashMap<>();
		errors.forEach(error -> answers.put(error.situation(), error.answer()));
		return ErrorDescription.describe(properties.name(), answers,
				errors.stream().anyMatch(DocumentedError::retryAfter));
	}

	/** The same without bodies. */
	private static Operation head(Operation get) {
		ApiResponses responses = new ApiResponses();
		get.getResponses()
			.forEach((status, response) -> responses.addApiResponse(status,
					new ApiResponse().description(response.getDescription()).headers(response.getHeaders())));
		return new Operation().operationId("headPromptInfo")
			.tags(get.getTags())
			.summary("Get the headers of that information")
			.description("Returns the headers that `GET` would, and no body.")
			.parameters(get.getParameters())
			.responses(responses);
	}

	private static void addSchemas(Components components) {
		var schemas = ModelConverters.getInstance().readAll(PromptInfo.class);
		Schema<?> prompt = required(schemas.get(PromptInfo.class.getSimpleName()));
		Schema<?> execution = required(schemas.get(ExecInfo.class.getSimpleName()));
		Schema<?> remaining = required(execution.getProperties().get("queue_remaining"));
		remaining.description("Number of items remaining in the queue").minimum(BigDecimal.ZERO);
		// The contract describes it in its place
		prompt.addProperty("exec_info", execution);
		components.addSchemas(PromptInfo.class.getSimpleName(), prompt);
		if (components.getSchemas() != null) {
			components.getSchemas().remove(ExecInfo.class.getSimpleName());
		}

		Schema<?> error = required(
				ModelConverters.getInstance().readAll(ErrorResponse.class).get(ErrorResponse.class.getSimpleName()));
		error.required(List.of("code", "message"));
		required(error.getProperties().get("code"))
			.description("What failed, for programs: the upstream's own code where it sent one");
		required(error.getProperties().get("message"))
			.description("What failed, for people: the upstream's own message where it sent one");
		components.addSchemas(ErrorResponse.class.getSimpleName(), error);
	}

	private void addHeaders(Components components) {
		long freshFor = properties.freshFor().toSeconds();
		components
			.addHeaders(HttpHeaders.ETAG,
					header("Strong hash of the body", new StringSchema()).required(true)
						.example("\"5fa4e2a54d1f9a1ac0ffbf5b9aad0cb5\""))
			.addHeaders(HttpHeaders.CACHE_CONTROL,
					header("How long the answer may be used without asking again", new StringSchema()).required(true)
						.example(freshFor == 0 ? "no-cache" : "max-age=" + freshFor))
			.addHeaders(CACHE_STATUS,
					header("How the answer came about (RFC 9211)", new StringSchema()).required(true)
						.example(properties.name() + "; hit; ttl=1"))
			.addHeaders(HttpHeaders.AGE,
					header("Seconds since the upstream answered, rounded up; absent on a fetched answer",
							new IntegerSchema())
						.example(1))
			.addHeaders(ErrorDescription.NO_STORE,
					header("Never stored", new StringSchema()).required(true).example("no-store"))
			.addHeaders(HttpHeaders.RETRY_AFTER,
					header("Seconds until asking again can help; absent where that is not known", new IntegerSchema())
						.example(1))
			.addHeaders(HttpHeaders.WWW_AUTHENTICATE,
					header("Scheme of no meaning to clients: a caller has nothing to authenticate with",
							new StringSchema())
						.required(true))
			.addHeaders(HttpHeaders.ALLOW, header("The methods that there are", new StringSchema()).required(true)
				.example("GET, HEAD, OPTIONS"));
	}

	private static Header header(String description, Schema<?> schema) {
		return new Header().description(description).schema(schema);
	}

	private static <T> T required(@Nullable T value) {
		return Objects.requireNonNull(value);
	}

}
