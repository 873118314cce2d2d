package dev.comfygateway.prompt;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.error.GatewayError;
import dev.comfygateway.openapi.ErrorDescriptions;
import dev.comfygateway.openapi.ErrorDescriptions.Named;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.springdoc.core.customizers.OpenApiCustomizer;

/**
 * OpenAPI description of {@code /api/prompt} beyond the controller's annotations: its
 * errors, {@code HEAD} and the schema.
 */
class PromptOperation implements OpenApiCustomizer {

	private static final int NOT_IN_CONTRACT = 404;

	private final String gatewayName;

	PromptOperation(GatewayProperties properties) {
		this.gatewayName = properties.name();
	}

	@Override
	public void customise(OpenAPI document) {
		PathItem prompt = Objects.requireNonNull(document.getPaths().get(PromptController.PATH));
		Operation get = prompt.getGet();
		ErrorDescriptions.add(get, gatewayName, errors());
		// Annotations omit required=false, and use an example's name as its description
		get.getParameters().forEach(parameter -> parameter.setRequired(false));
		ApiResponse success = Objects.requireNonNull(get.getResponses().get("200"));
		Objects.requireNonNull(success.getContent().get("application/json"))
			.addExamples("known", new Example().value(new PromptInfo(new ExecInfo(3L))));
		prompt.setHead(head(get));
		var schemas = document.getComponents().getSchemas();
		// The contract has no component for ExecInfo
		Objects.requireNonNull(schemas.get(PromptInfo.class.getSimpleName()))
			.addProperty("exec_info", schemas.remove(ExecInfo.class.getSimpleName()));
	}

	private static List<Named> errors() {
		List<Named> errors = new ArrayList<>();
		for (Reason reason : Reason.values()) {
			for (int status : statuses(reason)) {
				errors.add(new Named("upstream_" + reason.name().toLowerCase(Locale.ROOT),
						GatewayError.of(new UpstreamFailure(reason, status, null, null, null, 0))));
			}
		}
		errors.add(new Named("too_many_waiting", GatewayError.tooManyWaiting()));
		errors.add(new Named("not_cached", GatewayError.notCached()));
		errors.add(new Named("gateway_failed", GatewayError.bug()));
		return errors;
	}

	/** Returns the upstream statuses that the response shows; 0 if it shows none. */
	private static List<Integer> statuses(Reason reason) {
		return switch (reason) {
			case UNAUTHORIZED -> List.of(401);
			case FORBIDDEN -> List.of(403);
			case RATE_LIMITED -> List.of(429);
			case INTERNAL_ERROR -> List.of(500);
			case UNAVAILABLE -> List.of(502, 503, 504);
			case UNEXPECTED_STATUS -> List.of(NOT_IN_CONTRACT);
			default -> List.of(0);
		};
	}

	/** Returns the operation of {@code HEAD}: that of {@code GET} without bodies. */
	private static Operation head(Operation get) {
		ApiResponses responses = new ApiResponses();
		get.getResponses()
			.forEach((status, response) -> responses.addApiResponse(status,
					new ApiResponse().description(response.getDescription()).headers(response.getHeaders())));
		return new Operation().operationId("headPromptInfo")
			.tags(get.getTags())
			.summary("Get the headers of this information")
			.description("Returns the same headers as `GET`, without a body.")
			.parameters(get.getParameters())
			.responses(responses);
	}

}
