package dev.comfygateway.flow;

import dev.comfygateway.upstream.UpstreamAnswer;
import dev.comfygateway.simulator.Behaviour;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.support.GatewayErrors;
import dev.comfygateway.support.FakeTime;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RawConnection.Response;
import dev.comfygateway.support.RunningGateway;
import dev.comfygateway.support.TestGateway;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalServerPort;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;

@RunningGateway
class PageFlowTests {

	private static final String HISTORY = "/api/prompt/history";

	private static final String STATUS = "/page/status.json";

	private static final Pattern LINKED = Pattern.compile("(?:<script[^>]*|<link[^>]*)(?:href|src)=\"([^\"]+)\"");

	private static final Pattern IMPORTED = Pattern.compile("from '\\./([^']+)'");

	private static final int MAX_BYTES = 100_000;

	private final int port;

	private final SimulatedComfyCloud upstream;

	private final FakeTime time;

	@Autowired
	PageFlowTests(@LocalServerPort int port, SimulatedComfyCloud upstream, FakeTime time) {
		this.port = port;
		this.upstream = upstream;
		this.time = time;
	}

	@ParameterizedTest
	@ValueSource(strings = { "*/*", "application/json", "text/html" })
	void pageIgnoresAccept(String accept) throws IOException {
		Response page = RawConnection.get(port, "/", "Accept: " + accept);
		assertThat(page.status()).isEqualTo(200);
		assertThat(page.header("Content-Type")).hasValue("text/html");
		assertThat(page.header("Cache-Control")).hasValue("no-cache");
		assertThat(page.body()).startsWith("<!doctype html>");
	}

	@ParameterizedTest
	@ValueSource(strings = { "/", "/page/page.js", "/page/page.css" })
	void fileWhenTagMatchesIsNotModified(String path) throws IOException {
		Response first = RawConnection.get(port, path);
		assertThat(first.header("Last-Modified")).isEmpty();
		Response second = RawConnection.get(port, path, "If-None-Match: " + first.header("ETag").orElseThrow());
		assertThat(second.status()).isEqualTo(304);
		assertThat(RawConnection.get(port, path, "If-None-Match: \"other\"").status()).isEqualTo(200);
	}

	@ParameterizedTest
	@ValueSource(strings = { "/", "/page/page.js", HISTORY, STATUS })
	void headHasHeadersOfGet(String path) throws IOException {
		Response get = RawConnection.get(port, path);
		Response head = RawConnection.exchange(port, RawConnection.request("HEAD", path));
		assertThat(head.status()).isEqualTo(200);
		for (String name : List.of("Content-Type", "Cache-Control", "ETag", "Content-Security-Policy")) {
			assertThat(head.header(name)).isEqualTo(get.header(name));
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "/", "/page/page.js", "/page/page.css", "/page/icon.svg", STATUS, "/swagger-ui/index.html",
			"/swagger-ui/swagger-ui-bundle.js" })
	void pageFilesHaveSecurityHeaders(String path) throws IOException {
		Response response = RawConnection.get(port, path);
		assertThat(response.status()).isEqualTo(200);
		assertThat(response.header("Content-Security-Policy").orElseThrow())
			.contains("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'",
					"form-action 'none'")
			.doesNotContain("unsafe", "*", "http");
		assertThat(response.header("X-Content-Type-Options")).hasValue("nosniff");
		assertThat(response.header("Referrer-Policy")).hasValue("no-referrer");
	}

	@Test
	void promptHasNoHeadersOfPage() throws IOException {
		assertThat(RawConnection.get(port, "/api/prompt").headerNames()).doesNotContain("Content-Security-Policy",
				"Referrer-Policy");
	}

	/** An ingress can serve the page below any path prefix. */
	@Test
	void pageLinksAreLocalAndRelative() throws IOException {
		assertThat(files()).hasSizeGreaterThan(6);
		String page = RawConnection.get(port, "/").body();
		assertThat(page).doesNotContain("href=\"/", "src=\"/", "href=\"http", "src=\"http", "style=", "onclick")
			.doesNotContainPattern("<script(?![^>]*src=)");
	}

	@Test
	void filesHaveTheirTypesAndCacheHeaders() throws IOException {
		for (Map.Entry<String, Response> file : files().entrySet()) {
			String path = file.getKey();
			String type = path.endsWith(".js") ? "text/javascript"
					: path.endsWith(".css") ? "text/css" : path.endsWith(".svg") ? "image/svg+xml" : "text/html";
			assertThat(file.getValue().header("Content-Type")).as(path).hasValue(type);
			assertThat(file.getValue().header("Cache-Control")).as(path)
				.hasValue(path.startsWith("/webjars/") ? "max-age=31536000, public, immutable" : "no-cache");
		}
	}

	@Test
	void filesAreSmallWhenCompressed() throws IOException {
		int bytes = 0;
		for (Response file : files().values()) {
			bytes += compressed(file.body());
		}
		bytes += compressed(RawConnection.get(port, HISTORY).body());
		assertThat(bytes).isBetween(10_000, MAX_BYTES);
	}

	/** Returns the page and all files that it references, also indirectly. */
	private Map<String, Response> files() throws IOException {
		Map<String, Response> files = new LinkedHashMap<>();
		List<String> paths = new ArrayList<>(List.of("/"));
		while (!paths.isEmpty()) {
			String path = paths.removeFirst();
			if (files.containsKey(path)) {
				continue;
			}
			Response response = RawConnection.get(port, path);
			assertThat(response.status()).as(path).isEqualTo(200);
			files.put(path, response);
			LINKED.matcher(response.body()).results().forEach(name -> paths.add("/" + name.group(1)));
			if (path.endsWith(".js") && !path.startsWith("/webjars/")) {
				IMPORTED.matcher(response.body()).results().forEach(name -> paths.add("/page/" + name.group(1)));
			}
		}
		return files;
	}

	private static int compressed(String body) throws IOException {
		ByteArrayOutputStream bytes = new ByteArrayOutputStream();
		try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
			gzip.write(body.getBytes(StandardCharsets.ISO_8859_1));
		}
		return bytes.size();
	}

	@ParameterizedTest
	@ValueSource(strings = { "*/*", "text/html" })
	void historyHasEverySlotOfHour(String accept) throws IOException {
		Response response = RawConnection.get(port, HISTORY, "Accept: " + accept);
		assertThat(response.status()).isEqualTo(200);
		assertThat(response.header("Content-Type")).hasValue("application/json");
		assertThat(response.header("Cache-Control")).hasValue("max-age=15");
		JsonNode history = json(response);
		assertThat(history.propertyNames()).containsExactly("interval_seconds", "points");
		assertThat(history.get("interval_seconds").asInt()).isEqualTo(15);
		assertThat(history.get("points")).hasSize(240).allSatisfy(point -> {
			assertThat(point.propertyNames()).containsExactly("at", "queue_remaining", "state");
			assertThat(point.get("state").asString()).isEqualTo("unasked");
		});
	}

	@Test
	void historyHasResultsOfUpstream() throws IOException {
		RawConnection.get(port, "/api/prompt");
		time.advance(Duration.ofSeconds(15));
		upstream.queueRemaining(8);
		RawConnection.get(port, "/api/prompt", "Cache-Control: no-cache");
		time.advance(Duration.ofSeconds(15));
		upstream.behave(Behaviour.UNAVAILABLE);
		RawConnection.get(port, "/api/prompt", "Cache-Control: no-cache");
		time.advance(Duration.ofSeconds(15));
		JsonNode points = json(RawConnection.get(port, HISTORY)).get("points");
		assertThat(IntStream.range(236, 240).mapToObj(i -> points.get(i).get("state").asString()))
			.containsExactly("known", "known", "failed", "unasked");
		assertThat(points.get(236).get("queue_remaining").asInt()).isEqualTo(3);
		assertThat(points.get(237).get("queue_remaining").asInt()).isEqualTo(8);
		assertThat(points.get(238).get("queue_remaining").isNull()).isTrue();
	}

	@Test
	void pageCausesNoUpstreamRequest() throws IOException {
		int before = upstream.received().size();
		for (String path : List.of("/", HISTORY, STATUS)) {
			RawConnection.get(port, path);
		}
		assertThat(upstream.received()).hasSize(before);
	}

	@Test
	void statusWhenUpstreamAnswersHasStateAndNumber() throws IOException {
		RawConnection.get(port, "/api/prompt");
		RawConnection.get(port, "/api/prompt");
		Response response = RawConnection.get(port, STATUS);
		assertThat(response.header("Content-Type")).hasValue("application/json");
		assertThat(response.header("Cache-Control")).hasValue("no-store");
		JsonNode status = json(response);
		assertThat(status.propertyNames()).containsExactlyInAnyOrder("now", "pod", "freshForSeconds", "state",
				"arrivedAt", "lastGoodAt", "observedAt", "queueRemaining", "requests", "upstreamRequests",
				"savedRequests");
		assertThat(status.get("state").asString()).isEqualTo("answering");
		assertThat(status.get("queueRemaining").asInt()).isEqualTo(3);
		assertThat(status.get("freshForSeconds").asDouble()).isEqualTo(2);
		assertThat(status.get("pod").asString()).isNotBlank();
		assertThat(status.get("now").asString()).isEqualTo(time.instant().toString());
	}

	@Test
	void statusCountsRequestsServedFromCache() throws IOException {
		RawConnection.get(port, "/api/prompt");
		JsonNode before = json(RawConnection.get(port, STATUS));
		for (int i = 0; i < 5; i++) {
			RawConnection.get(port, "/api/prompt");
		}
		JsonNode after = json(RawConnection.get(port, STATUS));
		assertThat(after.get("requests").asLong() - before.get("requests").asLong()).isEqualTo(5);
		assertThat(after.get("upstreamRequests").asLong()).isEqualTo(before.get("upstreamRequests").asLong());
	}

	@ParameterizedTest
	@CsvSource({ "REFUSE, key refused, UNAUTHORIZED, 401", "LIMIT, failing, RATE_LIMITED, 429" })
	void statusWhenUpstreamFailsHasCodeAndReasonOfHealth(String behaviour, String state, String code, String reason)
			throws IOException {
		upstream.behave(behaviour.equals("REFUSE") ? Behaviour.REFUSE : Behaviour.LIMIT);
		RawConnection.get(port, "/api/prompt");
		Response response = RawConnection.get(port, STATUS);
		JsonNode status = json(response);
		assertThat(status.get("state").asString()).isEqualTo(state);
		assertThat(status.get("code").asString()).isEqualTo(code);
		assertThat(status.get("reason").asString()).isEqualTo(reason);
		assertThat(status.get("nextAttemptAt").asString()).isGreaterThan(time.instant().toString());
		assertThat(status.propertyNames()).doesNotContain("observedAt", "queueRemaining");
		assertThat(response.body()).doesNotContain(RunningGateway.KEY, upstream.baseUrl());
	}

	@ParameterizedTest
	@CsvSource({ "POST, /, 405, METHOD_NOT_ALLOWED", "DELETE, /api/prompt/history, 405, METHOD_NOT_ALLOWED",
			"GET, /page/, 404, NOT_FOUND", "GET, /page/none.js, 404, NOT_FOUND",
			"GET, /page/index.html, 404, NOT_FOUND", "GET, /index.html, 404, NOT_FOUND",
			"GET, /page/../application.yaml, 404, NOT_FOUND", "GET, /api/prompt/history/, 404, NOT_FOUND" })
	void errorHasSchemaOfContract(String method, String path, int status, String code) throws IOException {
		Response response = RawConnection.exchange(port, RawConnection.request(method, path));
		assertThat(response.status()).isEqualTo(status);
		GatewayErrors.assertError(response, code);
	}

	@Test
	void documentLinksToPage() throws IOException {
		JsonNode document = json(RawConnection.get(port, "/v3/api-docs"));
		assertThat(document.at("/info/description").asString()).contains("(../)");
		JsonNode history = document.at("/paths/~1api~1prompt~1history/get");
		assertThat(history.get("operationId").asString()).isEqualTo("getPromptHistory");
		assertThat(history.at("/responses").propertyNames()).contains("200", "404", "405");
		assertThat(history.at("/responses/200/content/application~1json/schema/$ref").asString())
			.isEqualTo("#/components/schemas/PromptHistory");
		assertThat(document.at("/components/schemas/HistoryPoint/properties/state/enum").valueStream())
			.map(JsonNode::asString)
			.containsExactly("known", "failed", "unasked");
		assertThat(document.at("/components/schemas/PromptHistory/properties").propertyNames())
			.containsExactlyInAnyOrder("interval_seconds", "points");
	}

	@ParameterizedTest
	@ValueSource(strings = { "false", "off" })
	void pageWhenDisabledIsNotFound(String value) throws IOException {
		try (TestGateway gateway = TestGateway.start("gateway.page.enabled=" + value)) {
			RawConnection.get(gateway.port(), "/api/prompt");
			for (String path : List.of("/", HISTORY, STATUS, "/page/page.js")) {
				for (String method : List.of("GET", "POST")) {
					Response response = RawConnection.exchange(gateway.port(), RawConnection.request(method, path));
					assertThat(response.status()).as("%s %s", method, path).isEqualTo(404);
					GatewayErrors.assertError(response, "NOT_FOUND");
				}
			}
			JsonNode document = json(RawConnection.get(gateway.port(), "/v3/api-docs"));
			assertThat(document.get("paths").propertyNames()).contains("/api/prompt").doesNotContain(HISTORY);
			assertThat(document.at("/components/schemas").propertyNames()).contains("PromptInfo", "ErrorResponse")
				.doesNotContain("PromptHistory", "HistoryPoint");
			assertThat(document.at("/info/description").asString()).doesNotContain("../");
		}
	}

	private static JsonNode json(Response response) {
		return new JsonMapper().readTree(response.body());
	}

}
