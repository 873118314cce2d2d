package dev.comfygateway.flow;

import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RawConnection.Response;
import dev.comfygateway.support.TestGateway;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests that headers added by proxies change no response. On Kubernetes, Spring Boot lets
 * the server evaluate them by default.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ForwardedHeadersTests {

	private static final List<String> PATHS = List.of("/", "/api/prompt", "/api/prompt/history", "/livez", "/readyz",
			"/none", "/page/page.js", "/swagger-ui.html", "/v3/api-docs/swagger-config");

	private static final List<String> MANAGEMENT_PATHS = List.of("/actuator", "/actuator/health/liveness",
			"/actuator/info", "/none");

	private TestGateway gateway;

	@BeforeAll
	void start() throws IOException {
		gateway = TestGateway.start("spring.main.cloud-platform=kubernetes");
		RawConnection.get(gateway.port(), "/api/prompt");
	}

	@AfterAll
	void close() {
		gateway.close();
	}

	@ParameterizedTest
	@ValueSource(strings = { "X-Forwarded-Port: abc", "X-Forwarded-Port: -1", "X-Forwarded-Port: 1",
			"X-Forwarded-Host: elsewhere.example", "X-Forwarded-Host: [::", "X-Forwarded-Host: a:b:c",
			"X-Forwarded-Proto: https", "X-Forwarded-Proto: \"", "X-Forwarded-Ssl: on", "X-Forwarded-For: 192.0.2.1",
			"X-Forwarded-For: [", "X-Forwarded-For: a:b:c", "X-Forwarded-Server: elsewhere.example",
			"X-Proxied-Https: on", "Proxy-Auth-Cert: x", "Proxy-Ssl-Id: x", "X-Forwarded-Prefix: /comfy",
			"X-Forwarded-Prefix: //elsewhere.example", "Forwarded: for=192.0.2.1;proto=https;host=elsewhere.example",
			"Forwarded: host=\"[\";for=\"", "Forwarded: ;;==" })
	void responseWhenForwardedHeaderIsSetIsUnchanged(String header) throws IOException {
		for (String path : PATHS) {
			assertSame(gateway.port(), path, header);
		}
		for (String path : MANAGEMENT_PATHS) {
			assertSame(gateway.managementPort(), path, header);
		}
	}

	private static void assertSame(int port, String path, String header) throws IOException {
		Response response = RawConnection.get(port, path, header);
		Response plain = RawConnection.get(port, path);
		assertThat(response.statusLine()).as(path).isEqualTo(plain.statusLine());
		assertThat(withoutDate(response)).as(path).isEqualTo(withoutDate(plain));
		assertThat(response.body()).as(path).isEqualTo(plain.body());
	}

	private static List<Map.Entry<String, String>> withoutDate(Response response) {
		return response.headers().stream().filter(header -> !header.getKey().equals("Date")).toList();
	}

}
