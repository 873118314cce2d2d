package dev.comfygateway.flow;

import dev.comfygateway.support.FakeTime;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RawConnection.Response;
import dev.comfygateway.support.RunningGateway;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalManagementPort;
import org.springframework.boot.test.web.server.LocalServerPort;

import static org.assertj.core.api.Assertions.assertThat;

/** Tests of {@code Content-Length} in responses without a body. */
@RunningGateway
class LengthTests {

	private final int port;

	private final int managementPort;

	private final FakeTime time;

	LengthTests(@LocalServerPort int port, @LocalManagementPort int managementPort, @Autowired FakeTime time) {
		this.port = port;
		this.managementPort = managementPort;
		this.time = time;
	}

	@ParameterizedTest
	@ValueSource(strings = { "/api/prompt", "/", "/page/page.js", "/page/page.css", "/page/icon.svg" })
	void notModifiedHasNoContentLength(String path) throws IOException {
		assertNotModifiedHasNoContentLength(path);
	}

	@Test
	void notModifiedWhenFetchedHasNoContentLength() throws IOException {
		time.advance(Duration.ofDays(1));
		assertNotModifiedHasNoContentLength("/api/prompt", "Cache-Control: no-cache");
	}

	private void assertNotModifiedHasNoContentLength(String path, String... headers) throws IOException {
		String etag = RawConnection.get(port, path).header("ETag").orElseThrow();
		for (String version : new String[] { "HTTP/1.1", "HTTP/1.0" }) {
			for (String method : new String[] { "GET", "HEAD" }) {
				time.advance(Duration.ofSeconds(1));
				try (RawConnection connection = new RawConnection(port)) {
					String request = RawConnection.request(method, path, "If-None-Match: " + etag,
							"Connection: keep-alive", String.join("", headers).isEmpty() ? "X: x" : headers[0]);
					Response response = connection.send(request.replace("HTTP/1.1", version)).readHead();
					assertThat(response.status()).isEqualTo(304);
					assertThat(response.header("ETag")).hasValue(etag);
					assertThat(response.headerNames()).doesNotContain("Content-Length", "Transfer-Encoding");
					// No bytes of a body remain on the connection
					assertThat(connection.send(RawConnection.request("GET", "/livez")).read().body()).contains("UP");
				}
			}
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "/api/prompt", "/api/prompt/history", "/", "/page/page.js", "/livez", "/readyz",
			"/v3/api-docs", "/v3/api-docs.yaml", "/swagger-ui.html", "/swagger-ui/index.html", "/nope",
			"/api/prompt/events?until=x" })
	void headHasContentLengthOfGetOrNone(String target) throws IOException {
		assertHeadHasContentLengthOfGetOrNone(port, target);
	}

	@ParameterizedTest
	@ValueSource(strings = { "/actuator", "/actuator/health", "/actuator/health/readiness", "/actuator/caches",
			"/actuator/sbom", "/actuator/nope", "/nope" })
	void managementHeadHasContentLengthOfGetOrNone(String target) throws IOException {
		assertHeadHasContentLengthOfGetOrNone(managementPort, target);
	}

	private static void assertHeadHasContentLengthOfGetOrNone(int port, String target) throws IOException {
		Response get = RawConnection.get(port, target);
		Response head = RawConnection.exchange(port, RawConnection.request("HEAD", target));
		assertThat(head.status()).isEqualTo(get.status());
		head.header("Content-Length").ifPresent(length -> assertThat(length).isEqualTo("" + get.body().length()));
	}

	@Test
	void headOfStreamHasNoContentLength() throws IOException {
		try (RawConnection connection = new RawConnection(port)) {
			Response head = connection.send(RawConnection.request("HEAD", "/api/prompt/events")).readHead();
			assertThat(head.status()).isEqualTo(200);
			assertThat(head.header("Content-Length")).isEmpty();
			assertThat(connection.send(RawConnection.request("GET", "/livez")).read().body()).contains("UP");
		}
	}

}
