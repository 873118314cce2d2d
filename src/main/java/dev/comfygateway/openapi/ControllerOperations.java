package dev.comfygateway.openapi;

import io.swagger.v3.core.converter.ModelConverters;
import dev.comfygateway.error.ErrorResponse;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.Operation;
import java.util.List;
import org.springdoc.core.customizers.OpenApiCustomizer;
import org.springdoc.core.customizers.OperationCustomizer;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.web.method.HandlerMethod;

/**
 * Customizer that adds the tag and the common errors to the controllers' operations.
 */
@Order(Ordered.HIGHEST_PRECEDENCE)
class ControllerOperations implements OperationCustomizer, OpenApiCustomizer {

	private final String gatewayName;

	ControllerOperations(String gatewayName) {
		this.gatewayName = gatewayName;
	}

	@Override
	public Operation customize(Operation operation, HandlerMethod handler) {
		// Annotations always set the style, but headers support only one
		operation.getResponses()
			.values()
			.stream()
			.filter(response -> response.getHeaders() != null)
			.forEach(response -> response.getHeaders().values().forEach(header -> header.setStyle(null)));
		ErrorDescriptions.add(operation, gatewayName, List.of());
		return operation.addTagsItem(OpenApiConfiguration.TAG);
	}

	@Override
	public void customise(OpenAPI document) {
		document.getComponents().getSchemas().putAll(ModelConverters.getInstance().read(ErrorResponse.class));
	}

}
