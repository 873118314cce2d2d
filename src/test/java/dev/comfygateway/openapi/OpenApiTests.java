package dev.comfygateway.openapi;

import dev.comfygateway.error.GatewayError;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RawConnection.Response;
import dev.comfygateway.support.TestGateway;
import dev.comfygateway.upstream.UpstreamFailure;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import io.swagger.v3.oas.models.OpenAPI;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springdoc.core.converters.ModelConverterRegistrar;
import org.springdoc.core.customizers.OpenApiCustomizer;
import org.springdoc.core.service.OpenAPIService;
import org.springdoc.webmvc.api.OpenApiResource;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.yaml.snakeyaml.Yaml;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests of the OpenAPI document, which springdoc generates, against the upstream's
 * contract and against the gateway.
 */
@SpringBootTest(webEnvironment = WebEnvironment.RANDOM_PORT,
		properties = { "comfy.api-key=unused", "management.server.port=0" })
class OpenApiTests {

	private static final Pattern LINKED = Pattern.compile("(?:href=|src=|url: )\"([^\"]*)\"");

	@LocalServerPort
	int port;

	@ParameterizedTest
	@CsvSource({ "/v3/api-docs, application/json", "/v3/api-docs.yaml, application/vnd.oai.openapi" })
	void documentIsTheSameForEveryCaller(String path, String type) throws Exception {
		Response expected = RawConnection.get(port, path);
		for (String accept : List.of("*/*", type, type + ";q=0.5, */*;q=0.1")) {
			Response response = RawConnection.get(port, path, "Accept: " + accept, "Accept-Language: fr",
					"X-Forwarded-Host: elsewhere");
			assertThat(response.status()).isEqualTo(200);
			assertThat(response.header("Content-Type")).hasValue(type);
			assertThat(response.body()).isEqualTo(expected.body());
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "/comfy", "/comfy/", "/a/b-c/d_e/f.g", "/..a/.b", "/1" })
	void serverWhenPrefixIsValidIsThePrefix(String prefix) throws Exception {
		List<Map<String, String>> servers = List.of(Map.of("url", prefix.replaceAll("/$", "")));
		String header = "X-Forwarded-Prefix: " + prefix;
		assertThat(json(RawConnection.get(port, "/v3/api-docs", header).body()).get("servers")).isEqualTo(servers);
		assertThat(yaml(RawConnection.get(port, "/v3/api-docs.yaml", header).body()).get("servers")).isEqualTo(servers);
		// The prefix does not affect later requests
		assertThat(json(get("/v3/api-docs")).get("servers")).isEqualTo(List.of(Map.of("url", "/")));
	}

	@ParameterizedTest
	@ValueSource(strings = { "X-Forwarded-Prefix: //evil.example", "X-Forwarded-Prefix: http://evil.example",
			"X-Forwarded-Prefix: /\\evil.example", "X-Forwarded-Prefix: evil", "X-Forwarded-Prefix: /a/../b",
			"X-Forwarded-Prefix: /a/..", "X-Forwarded-Prefix: /./a", "X-Forwarded-Prefix: /a//b",
			"X-Forwarded-Prefix: /\"<script>", "X-Forwarded-Prefix: /a b", "X-Forwarded-Prefix: /a, /b",
			"X-Forwarded-Prefix: /a\r\nX-Forwarded-Prefix: /b", "X-Forwarded-Prefix: /%2e%2e", "X-Forwarded-Prefix: /",
			"X-Forwarded-Prefix:", "X-Forwarded-Prefix: /a?b#c", "X-Forwarded-Prefix: /\u00e4",
			"X-Forwarded-Host: evil.example", "X-Forwarded-Host: [", "X-Forwarded-Port: abc", "X-Forwarded-Port: 99999",
			"X-Forwarded-Proto: \"", "X-Forwarded-Proto: javascript", "X-Forwarded-Ssl: on", "X-Forwarded-For: [::",
			"X-Forwarded-Server: evil.example", "X-Proxied-Https: on", "Forwarded: host=evil.example;proto=https",
			"Forwarded: for=\"[\";host=:::;proto=", "Forwarded: ;;;=", "Front-End-Https: on",
			"X-Original-URL: /actuator", "X-Rewrite-URL: /" })
	void documentWhenForwardedHeaderIsNoValidPrefixIsUnchanged(String header) throws Exception {
		for (String path : List.of("/v3/api-docs", "/v3/api-docs.yaml", "/v3/api-docs/swagger-config",
				"/swagger-ui.html", "/swagger-ui/index.html", "/swagger-ui/swagger-initializer.js")) {
			Response response = RawConnection.get(port, path, header);
			Response plain = RawConnection.get(port, path);
			assertThat(response.statusLine()).as(path).isEqualTo(plain.statusLine());
			assertThat(withoutDate(response)).as(path).isEqualTo(withoutDate(plain));
			assertThat(response.body()).as(path).isEqualTo(plain.body());
		}
	}

	@Test
	void urlsOfPageAreRelative() throws Exception {
		Map<String, Object> configuration = json(get("/v3/api-docs/swagger-config"));
		assertThat(configuration).containsEntry("url", "../v3/api-docs")
			.containsEntry("configUrl", "../v3/api-docs/swagger-config");
		assertThat(configuration.values()).noneMatch(value -> value.toString().startsWith("/"));
	}

	@ParameterizedTest
	@ValueSource(strings = { "/v3/api-docs", "/v3/api-docs.yaml", "/v3/api-docs/swagger-config", "/swagger-ui.html",
			"/swagger-ui/index.html", "/swagger-ui/swagger-initializer.js", "/swagger-ui/swagger-ui.css" })
	void varyListsForwardedPrefix(String path) throws Exception {
		Response response = RawConnection.get(port, path);
		assertThat(response.header("Vary")).hasValue("X-Forwarded-Prefix");
		assertThat(response.header("Cache-Control").orElseThrow()).isIn("no-cache", "no-store");
		assertThat(response.body()).doesNotContain("localhost");
	}

	@ParameterizedTest
	@ValueSource(strings = { "/v3/api-docs", "/v3/api-docs.yaml" })
	void headHasHeadersOfGet(String path) throws Exception {
		Response response = RawConnection.exchange(port, RawConnection.request("HEAD", path));
		assertThat(response.status()).isEqualTo(200);
		assertThat(withoutDate(response)).isEqualTo(withoutDate(RawConnection.get(port, path)));
	}

	private static List<Map.Entry<String, String>> withoutDate(Response response) {
		return response.headers().stream().filter(header -> !header.getKey().equals("Date")).toList();
	}

	@Test
	void jsonAndYamlAreTheSameDocument() throws Exception {
		assertThat(json(get("/v3/api-docs"))).isEqualTo(yaml(get("/v3/api-docs.yaml")));
	}

	@Test
	void documentHasTheVersionOfTheBuild() throws Exception {
		assertThat(at(json(get("/v3/api-docs")), "info").get("version")).asString().matches("\\d+(\\.\\d+)+(-.+)?");
	}

	@Test
	void documentMatchesTheContract() throws Exception {
		Map<String, Object> contract = yaml(new String(
				Objects.requireNonNull(getClass().getResourceAsStream("/contract/comfy-cloud-get-api-prompt.yaml"))
					.readAllBytes(),
				StandardCharsets.UTF_8));
		Map<String, Object> document = yaml(get("/v3/api-docs.yaml"));
		Map<String, Object> expected = at(contract, "paths", "/api/prompt", "get");
		Map<String, Object> actual = at(document, "paths", "/api/prompt", "get");

		assertThat(actual.get("operationId")).isEqualTo(expected.get("operationId"));
		assertThat(actual.get("tags")).isEqualTo(expected.get("tags"));
		assertThat(at(actual, "responses").keySet()).containsAll(at(expected, "responses").keySet());
		for (String status : at(expected, "responses").keySet()) {
			assertThat(at(actual, "responses", status, "content", "application/json", "schema"))
				.isEqualTo(at(expected, "responses", status, "content", "application/json", "schema"));
		}
		assertThat(at(document, "components", "schemas").keySet()).containsExactlyInAnyOrder("PromptInfo",
				"ErrorResponse", "PromptHistory", "HistoryPoint");
		assertContains(at(document, "components", "schemas"), at(contract, "components", "schemas"));
	}

	@Test
	void documentHasTheOperationsOfThePrompt() throws Exception {
		Map<String, Object> paths = at(json(get("/v3/api-docs")), "paths");
		assertThat(paths.keySet()).containsExactlyInAnyOrder("/api/prompt", "/api/prompt/events",
				"/api/prompt/history");
		assertThat(at(paths, "/api/prompt").keySet()).containsExactlyInAnyOrder("get", "head");
		assertThat(at(paths, "/api/prompt", "head").get("operationId")).isEqualTo("headPromptInfo");
		assertThat(at(paths, "/api/prompt/history").keySet()).containsExactly("get");
	}

	/** Also writes the document to a file, from which the build generates a client. */
	@Test
	void documentIsWrittenForClientGeneration() throws Exception {
		String document = get("/v3/api-docs");
		assertThat(at(json(document), "paths").keySet()).isNotEmpty();
		Files.writeString(Path.of("target/openapi.json"), document);
	}

	@Test
	void documentHasNoHost() throws Exception {
		assertThat(json(get("/v3/api-docs")).get("servers")).isEqualTo(List.of(Map.of("url", "/")));
	}

	/** {@code If-None-Match} is omitted: browsers add no-cache to a request with it. */
	@Test
	void parametersAreCacheControlOnly() throws Exception {
		Object parameters = at(json(get("/v3/api-docs")), "paths", "/api/prompt", "get").get("parameters");
		assertThat(parameters).asInstanceOf(InstanceOfAssertFactories.list(Map.class))
			.extracting(parameter -> parameter.get("name"))
			.containsExactly("Cache-Control");
	}

	@Test
	void documentIsNotCreatedBeforeItsFirstRequest() {
		try (TestGateway gateway = TestGateway.start()) {
			assertThat(gateway.singletons()).isNotEmpty()
				.noneMatch(bean -> bean instanceof OpenApiResource || bean instanceof OpenAPIService
						|| bean instanceof ModelConverterRegistrar || bean instanceof OpenAPI
						|| bean instanceof OpenApiCustomizer);
		}
	}

	@ParameterizedTest
	@CsvSource({ "springdoc.api-docs.enabled=false, 404, 404", "springdoc.swagger-ui.enabled=false, 200, 404" })
	void documentAndPageCanBeDisabled(String setting, int document, int page) throws Exception {
		try (TestGateway gateway = TestGateway.start(setting)) {
			assertThat(RawConnection.get(gateway.port(), "/v3/api-docs").status()).isEqualTo(document);
			for (String path : List.of("/swagger-ui.html", "/v3/api-docs/swagger-config", "/swagger-ui/index.html")) {
				assertThat(RawConnection.get(gateway.port(), path).status()).as(path).isEqualTo(page);
			}
		}
	}

	@Test
	void documentRequiresNoKey() throws Exception {
		assertThat(json(get("/v3/api-docs")).get("security")).isEqualTo(List.of());
		assertThat(get("/v3/api-docs")).doesNotContain("securitySchemes", "X-API-Key");
	}

	@Test
	void documentHasNoImplementationTypes() throws Exception {
		assertThat(get("/v3/api-docs")).doesNotContainIgnoringCase("spring")
			.doesNotContainIgnoringCase("jackson")
			.doesNotContainIgnoringCase("tomcat")
			.doesNotContain("java")
			.doesNotContain("Servlet");
	}

	@Test
	void responsesHaveEveryStatus() throws Exception {
		Map<String, Object> responses = responses();
		assertThat(responses.keySet()).isEqualTo(Set.of("200", "304", "400", "401", "404", "405", "414", "417", "429",
				"431", "500", "501", "502", "503", "504", "505"));
		assertThat(examples(responses, "200")).isNotEmpty();
		for (String status : responses.keySet()) {
			assertThat(at(responses, status, "headers")).isNotEmpty();
		}
	}

	@Test
	void examplesOfErrorsAreActualErrors() throws Exception {
		Map<String, Object> responses = responses();
		Set<Described> examples = new HashSet<>();
		for (String status : responses.keySet()) {
			if (status.compareTo("400") >= 0) {
				examples(responses, status)
					.forEach(example -> examples.add(new Described(Integer.parseInt(status), example)));
			}
		}
		assertThat(examples).isEqualTo(errors().map(Described::of).collect(Collectors.toSet()));
	}

	private static Stream<GatewayError> errors() {
		Stream<GatewayError> upstream = Stream.of(Reason.values())
			.flatMap(reason -> IntStream.of(502, 503, 504)
				.mapToObj(status -> new UpstreamFailure(reason, status, null, null, null, 1)))
			.map(GatewayError::of);
		Stream<GatewayError> server = IntStream.of(400, 404, 405, 414, 417, 431, 501, 503, 505)
			.mapToObj(GatewayError::ofStatus);
		return Stream
			.of(upstream, server,
					Stream.of(GatewayError.notCached(), GatewayError.tooManyWaiting(), GatewayError.bug()))
			.flatMap(answers -> answers);
	}

	@Test
	void errorsOfTheUpstreamHaveRetryAfter() throws Exception {
		Map<String, Object> responses = responses();
		for (String status : List.of("401", "429", "500", "502", "503", "504")) {
			assertThat(at(responses, status, "headers")).containsKey("Retry-After");
		}
		assertThat(at(responses, "405", "headers")).containsKey("Allow");
	}

	@ParameterizedTest
	@ValueSource(strings = { "/api/prompt", "/api/prompt/history", "/api/prompt/events" })
	void errorsOfEveryOperationAreDescribedConsistently(String path) throws Exception {
		Map<String, Object> document = json(get("/v3/api-docs"));
		Map<String, Object> headers = at(document, "components", "headers");
		Map<String, Object> responses = at(document, "paths", path, "get", "responses");
		assertThat(responses.keySet()).contains("200", "400", "404", "405", "414", "417", "431", "500", "501", "503",
				"505");
		for (String status : responses.keySet()) {
			Map<String, Object> response = at(responses, status);
			if (!response.containsKey("headers")) {
				assertThat(status).isEqualTo("204");
				continue;
			}
			if (status.compareTo("400") >= 0) {
				assertThat(at(response, "headers")).as(status).containsKeys("Proxy-Status", "Cache-Control");
				assertThat(examples(responses, status)).as(status).isNotEmpty();
				assertThat(at(response, "content", "application/json", "schema")).as(status)
					.isEqualTo(Map.of("$ref", "#/components/schemas/ErrorResponse"));
			}
			assertThat(at(response, "headers").containsKey("Allow")).isEqualTo(status.equals("405"));
			assertThat(at(response, "headers").containsKey("WWW-Authenticate")).isEqualTo(status.equals("401"));
			at(response, "headers").values().forEach(header -> {
				if (((Map<?, ?>) header).get("$ref") instanceof String reference) {
					assertThat(headers).containsKey(reference.replace("#/components/headers/", ""));
				}
			});
		}
		assertThat(at(responses, "503", "headers")).containsKey("Retry-After");
	}

	@Test
	void streamIsDescribedWithItsHeadersAndParameters() throws Exception {
		Map<String, Object> stream = at(json(get("/v3/api-docs")), "paths", "/api/prompt/events", "get");
		assertThat(stream.get("description")).asString().contains("every 5 s");
		assertThat(at(stream, "responses", "200", "headers")).containsOnlyKeys("Cache-Control", "X-Accel-Buffering");
		assertThat(examples(at(stream, "responses"), "503")).asInstanceOf(InstanceOfAssertFactories.list(Map.class))
			.extracting(example -> example.get("code"))
			.containsExactlyInAnyOrder("TOO_MANY_LISTENERS", "SHUTTING_DOWN");
		assertThat(stream.get("parameters")).asInstanceOf(InstanceOfAssertFactories.list(Map.class))
			.extracting(parameter -> parameter.get("in") + " " + parameter.get("name"))
			.containsExactly("query until", "header Last-Event-ID", "query lastEventId");
	}

	/** The operation of the stream is in a file, which the compiler does not check. */
	@Test
	void streamIsDescribedAsItBehaves() throws Exception {
		Map<String, Object> stream = at(json(get("/v3/api-docs")), "paths", "/api/prompt/events", "get");
		Map<String, Object> success = at(stream, "responses", "200");
		Response response = RawConnection.exchange(port, RawConnection.request("HEAD", "/api/prompt/events"));
		assertThat(at(success, "content")).containsOnlyKeys(response.header("Content-Type").orElseThrow());
		assertThat(response.header("Cache-Control")).hasValue("no-store");
		assertThat(response.header("X-Accel-Buffering").<Object>map(value -> value))
			.hasValue(at(success, "headers", "X-Accel-Buffering").get("example"));

		Map<Object, Map<?, ?>> parameters = ((List<?>) Objects.requireNonNull(stream.get("parameters"))).stream()
			.map(parameter -> (Map<?, ?>) parameter)
			.collect(Collectors.toMap(parameter -> parameter.get("name"), parameter -> parameter));
		String id = String.valueOf(Objects.requireNonNull(parameters.get("lastEventId")).get("example"));
		assertThat(status("/api/prompt/events?lastEventId=" + id)).isEqualTo(204);
		assertThat(status("/api/prompt/events", "Last-Event-ID: " + id)).isEqualTo(204);
		Map<?, ?> until = Objects.requireNonNull(parameters.get("until"));
		assertThat(status("/api/prompt/events?until=" + until.get("example"))).isEqualTo(200);
		assertThat(until.get("schema")).isEqualTo(Map.of("type", "integer", "format", "int64", "minimum", 0));
		assertThat(status("/api/prompt/events?until=-1")).isEqualTo(400);
	}

	private int status(String path, String... headers) throws IOException {
		return RawConnection.exchange(port, RawConnection.request("HEAD", path, headers)).status();
	}

	/** Error with its status, from the gateway or from an example of the document. */
	private record Described(int status, Object body) {

		static Described of(GatewayError error) {
			return new Described(error.status(),
					Map.of("code", error.body().code(), "message", error.body().message()));
		}

	}

	private Map<String, Object> responses() throws IOException {
		return at(json(get("/v3/api-docs")), "paths", "/api/prompt", "get", "responses");
	}

	private static List<Object> examples(Map<String, Object> responses, String status) {
		Map<String, Object> examples = at(responses, status, "content", "application/json", "examples");
		return examples.keySet().stream().<Object>map(name -> at(examples, name, "value")).toList();
	}

	@Test
	void pageLinksAreResolvable() throws Exception {
		Response redirect = RawConnection.get(port, "/swagger-ui.html");
		assertThat(redirect.status()).isEqualTo(302);
		String page = redirect.header("Location").orElseThrow();
		assertThat(page).isEqualTo("swagger-ui/index.html");
		List<String> links = LINKED.matcher(get("/" + page)).results().map(name -> name.group(1)).toList();
		assertThat(links).hasSizeGreaterThan(4);
		for (String name : links) {
			// A proxy may serve the page below a path prefix
			assertThat(name).doesNotStartWith("/").doesNotContain("://");
			assertThat(get("/swagger-ui/" + name.replace("./", ""))).isNotEmpty();
		}
		assertThat(get("/swagger-ui/swagger-initializer.js")).contains("/v3/api-docs/swagger-config")
			.doesNotContain("petstore");
	}

	/**
	 * Asserts that {@code actual} contains all names, types and values of
	 * {@code minimum}.
	 */
	private static void assertContains(Object actual, Object minimum) {
		if (minimum instanceof Map<?, ?> expected) {
			assertThat(actual).isInstanceOf(Map.class);
			Map<?, ?> map = (Map<?, ?>) actual;
			expected.forEach((name, value) -> {
				assertThat(map.containsKey(name)).as("%s", name).isTrue();
				assertContains(Objects.requireNonNull(map.get(name)), Objects.requireNonNull(value));
			});
		}
		else if (minimum instanceof List<?> expected) {
			assertThat((List<?>) actual).isEqualTo(expected);
		}
		else {
			assertThat(actual).isEqualTo(minimum);
		}
	}

	private String get(String path) throws IOException {
		Response response = RawConnection.get(port, path);
		assertThat(response.status()).as(path).isEqualTo(200);
		return response.body();
	}

	private static Map<String, Object> json(String text) {
		return new JsonMapper().readValue(text, new TypeReference<>() {
		});
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
