package dev.comfygateway.web;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import org.springframework.core.io.ClassPathResource;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.util.function.SingletonSupplier;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.yaml.snakeyaml.Yaml;
import tools.jackson.databind.json.JsonMapper;

/**
 * Controller of the OpenAPI document, a file in YAML. It is read when somebody asks for
 * it, since most gateways run without anybody ever doing so.
 */
@RestController
class OpenApiController {

	private static final MediaType YAML = new MediaType("application", "vnd.oai.openapi");

	private final SingletonSupplier<byte[]> yaml = SingletonSupplier.of(OpenApiController::read);

	private final SingletonSupplier<byte[]> json = SingletonSupplier.of(this::toJson);

	@GetMapping("/v3/api-docs.yaml")
	ResponseEntity<byte[]> getYaml() {
		return ResponseEntity.ok().contentType(YAML).body(yaml.obtain());
	}

	@GetMapping("/v3/api-docs")
	ResponseEntity<byte[]> getJson() {
		return ResponseEntity.ok().contentType(MediaType.APPLICATION_JSON).body(json.obtain());
	}

	private static byte[] read() {
		try {
			return new ClassPathResource("openapi.yaml").getContentAsByteArray();
		}
		catch (IOException e) {
			throw new UncheckedIOException(e);
		}
	}

	private byte[] toJson() {
		Object document = new Yaml().load(new String(yaml.obtain(), StandardCharsets.UTF_8));
		return new JsonMapper().writeValueAsBytes(document);
	}

}
