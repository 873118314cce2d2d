package dev.comfygateway.events;

import dev.comfygateway.error.GatewayError;
import dev.comfygateway.openapi.PathCustomizer;
import io.swagger.v3.core.util.Yaml;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.PathItem;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.io.ClassPathResource;
import org.springframework.stereotype.Component;

/**
 * OpenAPI operation of the stream. It is read from a file, since there is no controller
 * to annotate.
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

	@Override
	public void customise(OpenAPI document) {
		try {
			document.path(path(), Yaml.mapper()
				.readValue(new ClassPathResource("openapi/events.yaml").getInputStream(), PathItem.class));
		}
		catch (IOException e) {
			throw new UncheckedIOException(e);
		}
	}

}
