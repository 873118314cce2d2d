package dev.comfygateway.events;

import dev.comfygateway.error.GatewayError;
import dev.comfygateway.openapi.PathCustomizer;
import java.util.Map;
import org.springframework.context.annotation.Lazy;
import org.springframework.stereotype.Component;

/**
 * Errors of the stream in the OpenAPI document. Its operation is in the document's static
 * part, since there is no controller to annotate.
 */
@Component
@Lazy
class EventsOperation implements PathCustomizer {

	@Override
	public String path() {
		return EventsHandler.PATH;
	}

	@Override
	public Map<GatewayError, String> errors() {
		return Map.of(GatewayError.tooManyListeners(), "too_many_listeners");
	}

}
