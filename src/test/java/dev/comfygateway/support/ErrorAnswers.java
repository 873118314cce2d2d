package dev.comfygateway.support;

import dev.comfygateway.support.RawConnection.Answer;
import java.util.Locale;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;

/** Assertions that hold for every error of the gateway. */
public final class ErrorAnswers {

	private ErrorAnswers() {
	}

	/** Checks status and headers, for an answer to HEAD. */
	public static void assertErrorHeaders(Answer answer) {
		assertThat(answer.status()).isBetween(400, 599);
		assertThat(answer.header("Content-Type")).hasValue("application/json");
		assertThat(answer.header("Cache-Control")).hasValue("no-store");
		assertThat(answer.header("Proxy-Status"))
			.hasValueSatisfying(value -> assertThat(value).startsWith("comfy-gateway; "));
		assertThat(answer.headerNames()).map(name -> name.toLowerCase(Locale.ROOT))
			.filteredOn(name -> !name.equals("vary"))
			.doesNotHaveDuplicates()
			.doesNotContain("age", "cache-status", "etag", "server", "x-powered-by");
	}

	public static void assertError(Answer answer, String code) {
		assertErrorHeaders(answer);
		assertThat(answer.body()).doesNotContain("<", "Exception", "org.", "java", "Tomcat", "Jetty", "jetty",
				"Caused by");
		JsonNode body = new JsonMapper().readTree(answer.body());
		assertThat(body.propertyNames()).containsExactly("code", "message");
		assertThat(body.get("code").stringValue()).isEqualTo(code);
		assertThat(body.get("message").stringValue()).isNotBlank();
	}

}
