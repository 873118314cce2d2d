package dev.comfygateway;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.yaml.snakeyaml.Yaml;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests of the OpenAPI document against its golden copy and against the upstream's
 * contract.
 */
@SpringBootTest(webEnvironment = WebEnvironment.RANDOM_PORT,
		properties = { "comfy.api-key=unused", "management.server.port=0" })
class OpenApiTests {

	private static final Path GOLDEN = Path.of("src/test/resources/contract/comfy-gateway.yaml");

	private final HttpClient http = HttpClient.newHttpClient();

	@LocalServerPort
	int port;

	@Test
	void documentEqualsGoldenCopy() throws Exception {
		String document = get("/v3/api-docs.yaml");
		Files.writeString(Path.of("target/openapi.yaml"), document);
		assertThat(document).as("golden copy %s; the document as it is now lies in target/openapi.yaml", GOLDEN)
			.isEqualTo(Files.readString(GOLDEN));
	}

	@Test
	void jsonAndYamlHoldTheSameDocument() throws Exception {
		assertThat(yaml(get("/v3/api-docs"))).isEqualTo(yaml(get("/v3/api-docs.yaml")));
	}

	@Test
	void documentAnswersTheContract() throws Exception {
		Map<String, Object> contract = yaml(new String(
				Objects.requireNonNull(getClass().getResourceAsStream("/contract/comfy-cloud-get-api-prompt.yaml"))
					.readAllBytes(),
				StandardCharsets.UTF_8));
		Map<String, Object> document = yaml(get("/v3/api-docs.yaml"));
		Map<String, Object> asked = at(contract, "paths", "/api/prompt", "get");
		Map<String, Object> told = at(document, "paths", "/api/prompt", "get");

		assertThat(told.get("operationId")).isEqualTo(asked.get("operationId"));
		assertThat(told.get("tags")).isEqualTo(asked.get("tags"));
		assertThat(at(told, "responses").keySet()).containsAll(at(asked, "responses").keySet());
		for (String status : at(asked, "responses").keySet()) {
			assertThat(at(told, "responses", status, "content", "application/json", "schema"))
				.isEqualTo(at(asked, "responses", status, "content", "application/json", "schema"));
		}
		assertThat(at(contract, "components", "schemas").keySet())
			.isEqualTo(at(document, "components", "schemas").keySet());
		assertHolds(at(document, "components", "schemas"), at(contract, "components", "schemas"));
	}

	@Test
	void documentAsksForNoKey() throws Exception {
		assertThat(get("/v3/api-docs")).doesNotContainIgnoringCase("security").doesNotContain("X-API-Key");
	}

	@Test
	void documentNamesNoTypeOfTheImplementation() throws Exception {
		assertThat(get("/v3/api-docs")).doesNotContainIgnoringCase("spring")
			.doesNotContainIgnoringCase("jackson")
			.doesNotContainIgnoringCase("tomcat")
			.doesNotContain("java")
			.doesNotContain("Servlet");
	}

	@Test
	void everyErrorHasAnExample() throws Exception {
		Map<String, Object> responses = at(yaml(get("/v3/api-docs")), "paths", "/api/prompt", "get", "responses");
		assertThat(responses.keySet()).isEqualTo(Set.of("200", "304", "400", "401", "429", "500", "502", "503", "504"));
		for (String status : responses.keySet()) {
			if (!status.equals("304")) {
				assertThat(at(responses, status, "content", "application/json", "examples")).isNotEmpty();
			}
			assertThat(at(responses, status, "headers")).isNotEmpty();
		}
	}

	@Test
	void swaggerPageIsServed() throws Exception {
		assertThat(get("/swagger-ui/index.html")).contains("swagger-ui");
	}

	/**
	 * Everything that {@code least} has, names, types and values, is in {@code actual}
	 * too.
	 */
	private static void assertHolds(Object actual, Object least) {
		if (least instanceof Map<?, ?> expected) {
			assertThat(actual).isInstanceOf(Map.class);
			Map<?, ?> map = (Map<?, ?>) actual;
			expected.forEach((name, value) -> {
				assertThat(map.containsKey(name)).as("%s", name).isTrue();
				assertHolds(Objects.requireNonNull(map.get(name)), Objects.requireNonNull(value));
			});
		}
		else if (least instanceof List<?> expected) {
			assertThat((List<?>) actual).isEqualTo(expected);
		}
		else {
			assertThat(actual).isEqualTo(least);
		}
	}

	private String get(String path) throws IOException, InterruptedException {
		var response = http.send(HttpRequest.newBuilder(URI.create("http://localhost:" + port + path)).build(),
				BodyHandlers.ofString());
		assertThat(response.statusCode()).isEqualTo(200);
		return response.body();
	}

	private static Map<String, Object> yaml(String text) {
		return new Yaml().load(text);
	}

	@SuppressWarnings("unchecked")
	private static Map<String, Object> at(Map<String, Object> map, String... path) {
		Map<String, Object> at = map;
		for (String name : path) {
			at = (Map<String, Object>) Objects.requireNonNull(at.get(name), name);
		}
		return at;
	}

}
