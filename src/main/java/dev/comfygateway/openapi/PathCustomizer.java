package dev.comfygateway.openapi;

import dev.comfygateway.error.GatewayError;
import io.swagger.v3.oas.models.OpenAPI;
import java.util.Map;
import org.springdoc.core.customizers.OpenApiCustomizer;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;

/**
 * Customizer of one path, for what annotations cannot express. It runs before
 * {@link OperationsCustomizer}.
 */
@Order(Ordered.HIGHEST_PRECEDENCE)
public interface PathCustomizer extends OpenApiCustomizer {

	String path();

	@Override
	default void customise(OpenAPI document) {
		// Annotations or the static part of the document express everything
	}

	/**
	 * Returns the errors of this path alone, each with the name of its example. Their
	 * responses can have {@code Retry-After}.
	 */
	Map<GatewayError, String> errors();

}
