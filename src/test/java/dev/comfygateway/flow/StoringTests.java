package dev.comfygateway.flow;

import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RawConnection.Response;
import dev.comfygateway.support.RunningGateway;
import java.io.IOException;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.web.server.LocalManagementPort;
import org.springframework.boot.test.web.server.LocalServerPort;

import static org.assertj.core.api.Assertions.assertThat;

/** Tests of {@code Cache-Control} and {@code Vary} for each path, on both ports. */
@RunningGateway
class StoringTests {

	private static final List<String> METHODS = List.of("GET", "HEAD", "OPTIONS", "POST", "TRACE", "BREW");

	private static final Pattern MAX_AGE = Pattern.compile("max-age=\\d+(, public, immutable)?");

	/** Request headers that a response could depend on. */
	private static final List<String> REQUEST_HEADERS = List.of("Accept: text/html", "Accept: application/yaml",
			"Accept-Language: de", "Accept-Encoding: gzip", "Accept-Charset: utf-16", "Origin: https://a.example",
			"X-Forwarded-Host: a.example", "X-Forwarded-Proto: https", "X-Forwarded-Port: 99",
			"X-Forwarded-Prefix: /prefix", "X-Forwarded-For: 192.0.2.1", "Forwarded: host=a.example;proto=https",
			"User-Agent: curl/8", "Cookie: a=b", "Authorization: Basic YTpi", "X-HTTP-Method-Override: DELETE",
			"Range: bytes=0-1", "Save-Data: on", "X-Original-URL: /livez", "X-Rewrite-URL: /livez", "Via: 1.1 cache",
			"Upgrade-Insecure-Requests: 1");

	private final int port;

	private final int managementPort;

	StoringTests(@LocalServerPort int port, @LocalManagementPort int managementPort) {
		this.port = port;
		this.managementPort = managementPort;
	}

	@ParameterizedTest
	@ValueSource(strings = { "/", "/livez", "/readyz", "/api/prompt", "/api/prompt/history", "/page/page.js",
			"/page/page.css", "/page/icon.svg", "/page/status.json", "/v3/api-docs", "/v3/api-docs.yaml",
			"/v3/api-docs/swagger-config", "/swagger-ui.html", "/swagger-ui/index.html", "/swagger-ui/swagger-ui.css",
			"/swagger-ui/swagger-initializer.js", "/swagger-ui/index.css", "/swagger-ui/swagger-ui-bundle.js",
			"/swagger-ui/favicon-32x32.png", "/swagger-ui/nope", "/favicon.ico", "/nope", "/error",
			"/api/prompt/events?until=x", "*", "/%zz" })
	void responseHasCacheControl(String path) throws IOException {
		assertCacheControl(port, path);
	}

	@ParameterizedTest
	@ValueSource(strings = { "/actuator", "/actuator/", "/actuator/health", "/actuator/health/liveness",
			"/actuator/health/readiness", "/actuator/health/upstream", "/actuator/health/nope", "/actuator/info",
			"/actuator/prometheus", "/actuator/metrics", "/actuator/metrics/jvm.memory.used", "/actuator/caches",
			"/actuator/caches/nope", "/actuator/sbom", "/actuator/sbom/application", "/actuator/env", "/", "/livez",
			"*", "/%zz" })
	void managementResponseHasCacheControl(String path) throws IOException {
		assertCacheControl(managementPort, path);
	}

	private static void assertCacheControl(int port, String path) throws IOException {
		for (String method : METHODS) {
			Response response = RawConnection.exchange(port, RawConnection.request(method, path));
			assertCacheControl(response);
			if (response.header("ETag").isPresent()) {
				assertCacheControl(RawConnection.get(port, path, "If-None-Match: " + response.header("ETag").get()));
			}
		}
	}

	private static void assertCacheControl(Response response) {
		assertThat(response.headerNames()).filteredOn("Cache-Control"::equalsIgnoreCase).hasSize(1);
		String cacheControl = response.header("Cache-Control").orElseThrow();
		if (MAX_AGE.matcher(cacheControl).matches()) {
			assertThat(response.status()).isIn(200, 304);
		}
		else {
			assertThat(cacheControl).isEqualTo(response.header("ETag").isPresent() ? "no-cache" : "no-store");
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "/", "/livez", "/readyz", "/api/prompt/history", "/page/page.js", "/v3/api-docs",
			"/v3/api-docs.yaml", "/v3/api-docs/swagger-config", "/swagger-ui.html", "/swagger-ui/index.html",
			"/swagger-ui/swagger-initializer.js", "/swagger-ui/swagger-ui.css", "/nope" })
	void responseDependsOnNoHeaderMissingInVary(String path) throws IOException {
		Response plain = RawConnection.get(port, path);
		for (String header : REQUEST_HEADERS) {
			Response response = RawConnection.get(port, path, header);
			String name = header.substring(0, header.indexOf(':'));
			if (response.header("Vary").filter(name::equalsIgnoreCase).isEmpty()) {
				assertThat(response.body()).as(header).isEqualTo(plain.body());
				assertThat(withoutDate(response)).as(header).isEqualTo(withoutDate(plain));
			}
		}
	}

	private static List<String> withoutDate(Response response) {
		return response.headers()
			.stream()
			.filter(header -> !header.getKey().equalsIgnoreCase("Date"))
			.map(Object::toString)
			.toList();
	}

}
