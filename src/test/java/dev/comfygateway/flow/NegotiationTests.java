package dev.comfygateway.flow;

import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RawConnection.Response;
import dev.comfygateway.support.RunningGateway;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.web.server.LocalManagementPort;
import org.springframework.boot.test.web.server.LocalServerPort;

import static org.assertj.core.api.Assertions.assertThat;

/** Tests of requests with {@code Accept}, {@code Range} or {@code Content-Type}. */
@RunningGateway
class NegotiationTests {

	private static final String OPENMETRICS = "application/openmetrics-text;version=1.0.0";

	private final int port;

	private final int managementPort;

	NegotiationTests(@LocalServerPort int port, @LocalManagementPort int managementPort) {
		this.port = port;
		this.managementPort = managementPort;
	}

	@ParameterizedTest
	@ValueSource(strings = { "text/plain", "text/html", "image/png", "application/json", "*/*", "*/*;q=0",
			"application/json;q=0", "application/*", "*", "%%%", ",", "", "text/plain; charset=\"", "a/b/c",
			"text/plain, ,;" })
	void responseIgnoresAccept(String accept) throws IOException {
		for (String path : List.of("/livez", "/readyz", "/v3/api-docs", "/v3/api-docs.yaml", "/")) {
			assertSame(port, path, accept);
		}
		for (String path : List.of("/actuator", "/actuator/health", "/actuator/health/liveness",
				"/actuator/health/readiness", "/actuator/info", "/actuator/caches", "/actuator/sbom")) {
			assertSame(managementPort, path, accept);
		}
		assertThat(RawConnection.get(managementPort, "/actuator/prometheus", "Accept: " + accept).status())
			.isEqualTo(200);
	}

	private static void assertSame(int port, String path, String accept) throws IOException {
		Response plain = RawConnection.get(port, path);
		Response response = RawConnection.get(port, path, "Accept: " + accept, "Accept: x/y");
		assertThat(response.status()).isEqualTo(200);
		assertThat(response.header("Content-Type")).isEqualTo(plain.header("Content-Type"));
	}

	@ParameterizedTest
	@CsvSource({ OPENMETRICS + ", " + OPENMETRICS, "text/plain;version=0.0.4, text/plain;version=0.0.4",
			"image/png, text/plain;version=0.0.4" })
	void metricsFollowAccept(String accept, String contentType) throws IOException {
		assertThat(
				RawConnection.get(managementPort, "/actuator/prometheus", "Accept: " + accept).header("Content-Type"))
			.hasValue(contentType + ";charset=utf-8");
	}

	@ParameterizedTest
	@ValueSource(strings = { "bytes=0-3", "bytes=0-1,4-5", "bytes=99999999-", "bytes=5-1", "nonsense" })
	void responseWhenRangeIsRequestedIsComplete(String range) throws IOException {
		for (String path : List.of("/", "/page/page.css", "/swagger-ui/index.html", "/api/prompt")) {
			Response response = RawConnection.get(port, path, "Range: " + range);
			assertThat(response.status()).isEqualTo(200);
			assertThat(response.header("Content-Range")).isEmpty();
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "garbage", "/", "text/plain", "application/json" })
	void responseWhenContentTypeIsSetWithoutBodyIsOk(String contentType) throws IOException {
		for (String path : List.of("/livez", "/readyz", "/api/prompt")) {
			assertThat(RawConnection.get(port, path, "Content-Type: " + contentType).status()).as(path).isEqualTo(200);
		}
		for (String path : List.of("/actuator/health", "/actuator/health/liveness", "/actuator/prometheus")) {
			assertThat(RawConnection.get(managementPort, path, "Content-Type: " + contentType).status()).as(path)
				.isEqualTo(200);
		}
	}

}
