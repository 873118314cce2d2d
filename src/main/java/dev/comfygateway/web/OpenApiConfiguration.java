package dev.comfygateway.web;

import dev.comfygateway.GatewayProperties;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.info.Contact;
import io.swagger.v3.oas.models.info.Info;
import io.swagger.v3.oas.models.info.License;
import io.swagger.v3.oas.models.servers.Server;
import io.swagger.v3.oas.models.tags.Tag;
import java.util.List;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.info.BuildProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;

/** The OpenAPI document, which springdoc makes when somebody asks for it. */
@Configuration(proxyBeanMethods = false)
class OpenApiConfiguration {

	@Bean
	static LazySpringdoc lazySpringdoc() {
		return new LazySpringdoc();
	}

	@Bean
	@Lazy
	OpenAPI openApi(GatewayProperties properties, ObjectProvider<BuildProperties> build) {
		BuildProperties built = build.getIfAvailable();
		return new OpenAPI()
			.info(new Info().title(properties.name())
				.version(built == null ? "unknown" : built.getVersion())
				.description("Answers Comfy Cloud's `GET /api/prompt` for callers that hold no key.")
				.contact(new Contact().name("The operator of this gateway"))
				// Of the API that is described, as its own contract says
				.license(new License().name("GNU General Public License v3.0")
					.url("https://github.com/comfyanonymous/ComfyUI/blob/master/LICENSE")))
			// Else it would be whatever host a caller named
			.servers(List.of(new Server().url("/")))
			.security(List.of())
			.tags(List.of(new Tag().name(PromptOperation.TAG).description("The workflow execution queue.")));
	}

	@Bean
	@Lazy
	PromptOperation promptOperation(GatewayProperties properties) {
		return new PromptOperation(properties);
	}

}
