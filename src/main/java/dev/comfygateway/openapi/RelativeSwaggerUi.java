package dev.comfygateway.openapi;

import jakarta.servlet.http.HttpServletRequest;
import java.net.URI;
import org.springdoc.core.properties.SpringDocConfigProperties;
import org.springdoc.core.properties.SwaggerUiConfigParameters;
import org.springdoc.core.properties.SwaggerUiConfigProperties;
import org.springdoc.core.providers.SpringWebProvider;
import org.springdoc.core.utils.Constants;
import org.springdoc.webmvc.ui.SwaggerWelcomeWebMvc;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.stereotype.Component;

/**
 * Controller of Swagger UI with relative URLs, which work under any path prefix.
 * Springdoc's own URLs are absolute, and built from forwarded headers that any caller can
 * send.
 */
@Component
@ConditionalOnProperty(name = { Constants.SPRINGDOC_ENABLED, Constants.SPRINGDOC_SWAGGER_UI_ENABLED },
		matchIfMissing = true)
class RelativeSwaggerUi extends SwaggerWelcomeWebMvc {

	private static final URI PAGE = URI.create("swagger-ui/index.html");

	RelativeSwaggerUi(SwaggerUiConfigProperties ui, SpringDocConfigProperties properties,
			ObjectProvider<SpringWebProvider> web) {
		super(ui, properties, web);
	}

	@Override
	public ResponseEntity<Void> redirectToUi(HttpServletRequest request) {
		return ResponseEntity.status(HttpStatus.FOUND).location(PAGE).build();
	}

	@Override
	protected void buildFromCurrentContextPath(SwaggerUiConfigParameters parameters, HttpServletRequest request) {
		// The URLs remain those of the settings url and config-url
	}

}
