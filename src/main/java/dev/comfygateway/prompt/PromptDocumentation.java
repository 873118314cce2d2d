package dev.comfygateway.prompt;

import dev.comfygateway.error.ErrorAnswer;
import dev.comfygateway.error.ErrorResponse;
import dev.comfygateway.upstream.UpstreamFailure;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import io.swagger.v3.oas.models.Components;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.Operation;
import io.swagger.v3.oas.models.examples.Example;
import io.swagger.v3.oas.models.headers.Header;
import io.swagger.v3.oas.models.info.Info;
import io.swagger.v3.oas.models.media.Content;
import io.swagger.v3.oas.models.media.IntegerSchema;
import io.swagger.v3.oas.models.media.MediaType;
import io.swagger.v3.oas.models.media.ObjectSchema;
import io.swagger.v3.oas.models.media.Schema;
import io.swagger.v3.oas.models.media.StringSchema;
import io.swagger.v3.oas.models.parameters.Parameter;
import io.swagger.v3.oas.models.responses.ApiResponse;
import io.swagger.v3.oas.models.responses.ApiResponses;
import io.swagger.v3.oas.models.tags.Tag;
import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.springdoc.core.customizers.OpenApiCustomizer;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.info.BuildProperties;
import org.springframework.stereotype.Component;

/**
 * Description of {@code /api/prompt} for the OpenAPI document: the upstream's contract in
 * its own names, without its security, and with what the gateway adds. The examples of
 * errors are the errors themselves.
 */
@Component
class PromptDocumentation implements OpenApiCustomizer {

	private static final String JSON = "application/json";

	private final @Nullable BuildProperties build;

	PromptDocumentation(ObjectProvider<BuildProperties> build) {
		this.build = build.getIfAvailable();
	}

	@Override
	public void customise(OpenAPI document) {
		document.setInfo(new Info().title("comfy-gateway")
			.version(build == null ? "dev" : build.getVersion())
			.description("Answers Comfy Cloud's `GET /api/prompt` for callers that hold no key."));
		// Each caller knows where it found this
		document.setServers(null);
		document.setTags(List.of(new Tag().name("workflow").description("The workflow execution queue.")));
		document.setComponents(components());
		Operation operation = Objects.requireNonNull(document.getPaths().get(PromptController.PATH)).getGet();
		operation.setTags(List.of("workflow"));
		operation.setSummary("Get information about current prompt execution");
		operation
			.setDescription("Returns information about the current prompt in the execution queue. The answer is cached"
					+ " for a moment: `Age` and `Cache-Status` tell. `HEAD` gives the same headers.");
		operation.setParameters(parameters());
		operation.setResponses(responses());
	}

	private static Components components() {
		Schema<?> queueRemaining = new IntegerSchema().format("int64")
			.minimum(BigDecimal.ZERO)
			.description("Number of items remaining in the queue");
		ObjectSchema promptInfo = new ObjectSchema();
		promptInfo.addProperty("exec_info", new ObjectSchema().addProperty("queue_remaining", queueRemaining));
		ObjectSchema errorResponse = new ObjectSchema();
		errorResponse.addProperty("code", new StringSchema().description("What failed, for programs"));
		errorResponse.addProperty("message", new StringSchema().description("What failed, for people"));
		errorResponse.setRequired(List.of("code", "message"));
		return new Components().addSchemas("PromptInfo", promptInfo)
			.addSchemas("ErrorResponse", errorResponse)
			.addHeaders("ETag", header("Strong hash of the body", "\"5fa4e2a54d1f9a1ac0ffbf5b9aad0cb5\""))
			.addHeaders("Cache-Control",
					header("How long the answer may be used without asking again", "max-age=2, must-revalidate"))
			.addHeaders("Cache-Status", header("How the answer came about (RFC 9211)", "comfy-gateway; hit; ttl=1"))
			.addHeaders("Age", seconds("Seconds since the upstream answered, rounded up; absent on a fetched answer"))
			.addHeaders("Proxy-Status", header("What failed (RFC 9209)", "comfy-gateway; error=http_response_timeout"))
			.addHeaders("Retry-After", seconds("Seconds until the upstream will be asked again"));
	}

	private static Header header(String description, String example) {
		return new Header().description(description).schema(new StringSchema()).example(example);
	}

	private static Header seconds(String description) {
		return new Header().description(description).schema(new IntegerSchema().format(null)).example(1);
	}

	private static List<Parameter> parameters() {
		return List.of(
				parameter("Cache-Control",
						"`no-cache` or `max-age=N` for a newer answer than the cached one, `only-if-cached` for"
								+ " none but the cached one; everything else is ignored",
						"max-age=1"),
				parameter("If-None-Match", "Entity tags that the caller has an answer for", "\"5fa4e2a5\""));
	}

	private static Parameter parameter(String name, String description, String example) {
		return new Parameter().in("header")
			.name(name)
			.description(description)
			.required(false)
			.schema(new StringSchema())
			.example(example);
	}

	private static ApiResponses responses() {
		ApiResponses responses = new ApiResponses();
		responses.addApiResponse("200",
				headers(new ApiResponse(), "ETag", "Cache-Control", "Cache-Status", "Age").description("Success")
					.content(
							content("PromptInfo", Map.of("known", Map.of("exec_info", Map.of("queue_remaining", 3))))));
		responses.addApiResponse("304", headers(new ApiResponse(), "ETag", "Cache-Control", "Cache-Status", "Age")
			.description("The caller has this answer already"));
		Map<Integer, Map<String, Object>> examples = new TreeMap<>();
		add(examples, ErrorAnswer.ofStatus(400));
		for (Reason reason : Reason.values()) {
			add(examples, ErrorAnswer.of(new UpstreamFailure(reason, 503, null, null, null, 1)));
		}
		add(examples, ErrorAnswer.notCached());
		add(examples, ErrorAnswer.bug());
		examples.forEach((status, bodies) -> responses.addApiResponse(Integer.toString(status),
				headers(new ApiResponse(), "Proxy-Status", "Retry-After")
					.addHeaderObject("Cache-Control", header("Errors are never stored", "no-store"))
					.description(description(status))
					.content(content("ErrorResponse", bodies))));
		return responses;
	}

	private static void add(Map<Integer, Map<String, Object>> examples, ErrorAnswer answer) {
		ErrorResponse body = answer.body();
		Map<String, String> fields = new LinkedHashMap<>();
		fields.put("code", body.code());
		fields.put("message", body.message());
		examples.computeIfAbsent(answer.status(), status -> new LinkedHashMap<>())
			.putIfAbsent(answer.code().toLowerCase(Locale.ROOT), fields);
	}

	private static String description(int status) {
		return switch (status) {
			case 400 -> "A request that is not HTTP, or more of it than is read";
			case 401 -> "Unauthorized: the upstream refuses the gateway's key";
			case 429 -> "The upstream limits the rate of requests";
			case 500 -> "Internal server error, of the upstream or of the gateway";
			case 502 -> "No answer of the upstream that follows its contract";
			case 503 -> "The upstream is unavailable";
			case 504 -> "No answer of the upstream in time, or none cached";
			default -> throw new IllegalStateException();
		};
	}

	private static ApiResponse headers(ApiResponse response, String... names) {
		for (String name : names) {
			response.addHeaderObject(name, new Header().$ref("#/components/headers/" + name));
		}
		return response;
	}

	private static Content content(String schema, Map<String, ?> examples) {
		MediaType json = new MediaType().schema(new Schema<>().$ref("#/components/schemas/" + schema));
		examples.forEach((name, value) -> json.addExamples(name, new Example().value(value)));
		return new Content().addMediaType(JSON, json);
	}

}
