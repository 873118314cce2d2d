package dev.comfygateway.support;

import dev.comfygateway.support.RawConnection.Response;
import java.util.Locale;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

/** Assertions that apply to every error of the gateway. */
public final class GatewayErrors {

	private GatewayErrors() {
	}

	/** Asserts status and headers only, for a response to HEAD. */
	public static void assertErrorHeaders(Response response) {
		assertThat(response.status()).isBetween(400, 599);
		assertThat(response.header("Content-Type")).hasValue("application/json");
		assertThat(response.header("Cache-Control")).hasValue("no-store");
		assertThat(response.header("Proxy-Status"))
			.hasValueSatisfying(value -> assertThat(value).startsWith("comfy-gateway; "));
		assertThat(response.headerNames()).map(name -> name.toLowerCase(Locale.ROOT))
			.filteredOn(name -> !name.equals("vary"))
			.doesNotHaveDuplicates()
			.doesNotContain("age", "cache-status", "etag", "server", "x-powered-by");
		assertHeadersOfStatus(response);
	}

	/** Asserts the headers that RFC 9110 requires for the status. */
	private static void assertHeadersOfStatus(Response response) {
		switch (response.status()) {
			// With a known scheme, clients would prompt for a password or send one
			case 401 -> assertThat(response.header("WWW-Authenticate"))
				.hasValueSatisfying(challenge -> assertThat(challenge).matches("Gateway-Key realm=\"[^\"]+\""));
			case 405 -> assertThat(response.header("Allow")).hasValue("GET, HEAD, OPTIONS");
			case 429, 503 -> assertThat(response.header("Retry-After"))
				.hasValueSatisfying(seconds -> assertThat(seconds).matches("[1-9]\\d*"));
			// These would need Proxy-Authenticate, Accept, Content-Range and Upgrade
			case 407, 415, 416, 426 -> fail("Status %d is never sent", response.status());
			default -> {
			}
		}
	}

	public static void assertError(Response response, String code) {
		assertErrorHeaders(response);
		assertThat(response.body()).doesNotContain("<", "Exception", "org.", "java", "Tomcat", "Jetty", "jetty",
				"Caused by");
		JsonNode body = new JsonMapper().readTree(response.body());
		assertThat(body.propertyNames()).containsExactly("code", "message");
		assertThat(body.get("code").stringValue()).isEqualTo(code);
		assertThat(body.get("message").stringValue()).isNotBlank();
	}

}
