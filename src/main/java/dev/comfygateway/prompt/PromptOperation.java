package dev.comfygateway.prompt;

import dev.comfygateway.error.GatewayError;
import dev.comfygateway.openapi.PathCustomizer;
import dev.comfygateway.upstream.PromptInfo;
import dev.comfygateway.upstream.PromptInfo.ExecInfo;
import dev.comfygateway.upstream.UpstreamFailure;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.Operation;
import io.swagger.v3.oas.models.PathItem;
import io.swagger.v3.oas.models.examples.Example;
import io.swagger.v3.oas.models.responses.ApiResponse;
import io.swagger.v3.oas.models.responses.ApiResponses;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.springframework.context.annotation.Lazy;
import org.springframework.stereotype.Component;

/**
 * OpenAPI description of {@code /api/prompt} beyond the controller's annotations: its
 * errors, {@code HEAD} and the schema.
 */
@Component
@Lazy
class PromptOperation implements PathCustomizer {

	/** Upstream statuses that the response shows. */
	private static final Map<Reason, List<Integer>> STATUSES = Map.of(Reason.UNAUTHORIZED, List.of(401),
			Reason.FORBIDDEN, List.of(403), Reason.RATE_LIMITED, List.of(429), Reason.INTERNAL_ERROR, List.of(500),
			Reason.UNAVAILABLE, List.of(502, 503, 504), Reason.UNEXPECTED_STATUS, List.of(404));

	@Override
	public String path() {
		return PromptController.PATH;
	}

	@Override
	public Map<GatewayError, String> errors() {
		Map<GatewayError, String> errors = new LinkedHashMap<>();
		for (Reason reason : Reason.values()) {
			for (int status : STATUSES.getOrDefault(reason, List.of(0))) {
				errors.put(GatewayError.of(new UpstreamFailure(reason, status, null, null, null, 0)),
						"upstream_" + reason.name().toLowerCase(Locale.ROOT));
			}
		}
		errors.put(GatewayError.tooManyWaiting(), "too_many_waiting");
		errors.put(GatewayError.notCached(), "not_cached");
		errors.put(GatewayError.bug(), "gateway_failed");
		return errors;
	}

	@Override
	public void customise(OpenAPI document) {
		PathItem prompt = Objects.requireNonNull(document.getPaths().get(path()));
		Operation get = prompt.getGet();
		// Annotations omit required=false, and use an example's name as its description
		get.getParameters().forEach(parameter -> parameter.setRequired(false));
		ApiResponse success = Objects.requireNonNull(get.getResponses().get("200"));
		Objects.requireNonNull(success.getContent().get("application/json"))
			.addExamples("known", new Example().value(new PromptInfo(new ExecInfo(3L))));
		ApiResponses responses = new ApiResponses();
		responses.putAll(get.getResponses());
		prompt.setHead(new Operation().operationId("headPromptInfo")
			.summary("Get the headers of this information")
			.description("Returns the same headers as `GET`, without a body.")
			.parameters(get.getParameters())
			.responses(responses));
		var schemas = document.getComponents().getSchemas();
		// The contract has no component for ExecInfo
		Objects.requireNonNull(schemas.get(PromptInfo.class.getSimpleName()))
			.addProperty("exec_info", schemas.remove(ExecInfo.class.getSimpleName()));
	}

}
