package dev.comfygateway.error;

import dev.comfygateway.upstream.UpstreamFailure;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.http.ResponseEntity;

import static org.assertj.core.api.Assertions.assertThat;

class GatewayErrorTests {

	@ParameterizedTest
	@CsvSource({ "UNAUTHORIZED, 401, 401, UNAUTHORIZED, received-status=401",
			"RATE_LIMITED, 429, 429, RATE_LIMITED, received-status=429",
			"INTERNAL_ERROR, 500, 500, INTERNAL_ERROR, received-status=500",
			"UNAVAILABLE, 502, 502, UPSTREAM_UNAVAILABLE, received-status=502",
			"UNAVAILABLE, 503, 503, UPSTREAM_UNAVAILABLE, received-status=503",
			"UNAVAILABLE, 504, 504, UPSTREAM_UNAVAILABLE, received-status=504",
			"FORBIDDEN, 403, 502, UPSTREAM_UNEXPECTED_STATUS, received-status=403",
			"UNEXPECTED_STATUS, 302, 502, UPSTREAM_UNEXPECTED_STATUS, received-status=302",
			"UNEXPECTED_STATUS, 404, 502, UPSTREAM_UNEXPECTED_STATUS, received-status=404",
			"UNEXPECTED_STATUS, 201, 502, UPSTREAM_UNEXPECTED_STATUS, received-status=201",
			"INVALID_RESPONSE, 0, 502, UPSTREAM_INVALID_RESPONSE, received-status=200",
			"RESPONSE_INCOMPLETE, 0, 502, UPSTREAM_INVALID_RESPONSE, error=http_response_incomplete",
			"PROTOCOL_ERROR, 0, 502, UPSTREAM_INVALID_RESPONSE, error=http_protocol_error",
			"CONNECTION_REFUSED, 0, 502, UPSTREAM_UNREACHABLE, error=connection_refused",
			"CONNECTION_TERMINATED, 0, 502, UPSTREAM_UNREACHABLE, error=connection_terminated",
			"BLOCKED, 403, 502, UPSTREAM_BLOCKED, received-status=403",
			"TUNNEL_REFUSED, 407, 502, UPSTREAM_UNREACHABLE, error=http_request_denied",
			"DNS_ERROR, 0, 502, UPSTREAM_UNREACHABLE, error=dns_error",
			"TLS_PROTOCOL_ERROR, 0, 502, UPSTREAM_UNREACHABLE, error=tls_protocol_error",
			"TLS_CERTIFICATE_ERROR, 0, 502, UPSTREAM_UNREACHABLE, error=tls_certificate_error",
			"CONNECTION_TIMEOUT, 0, 504, UPSTREAM_TIMEOUT, error=connection_timeout",
			"RESPONSE_TIMEOUT, 0, 504, UPSTREAM_TIMEOUT, error=http_response_timeout" })
	void ofWhenUpstreamFailsFollowsContract(Reason reason, int upstreamStatus, int status, String code,
			String proxyStatus) {
		GatewayError error = GatewayError.of(failure(reason, upstreamStatus, null, null));
		assertThat(error.status()).isEqualTo(status);
		assertThat(error.code()).isEqualTo(code);
		assertThat(error.body().code()).isEqualTo(code);
		assertThat(error.proxyStatus()).isEqualTo(proxyStatus);
	}

	@ParameterizedTest
	@EnumSource(names = { "RATE_LIMITED", "INTERNAL_ERROR", "UNAVAILABLE" })
	void ofWhenUpstreamSendsCodeAndMessageForwardsThem(Reason reason) {
		GatewayError error = GatewayError.of(failure(reason, 503, "THEIRS", "Their words"));
		assertThat(error.body()).isEqualTo(new ErrorResponse("THEIRS", "Their words"));
	}

	@ParameterizedTest
	@ValueSource(strings = { "TOO_MANY_WAITING", "TOO_MANY_LISTENERS", "SHUTTING_DOWN", "NOT_CACHED" })
	void ofWhenUpstreamSendsCodeOfGatewayForwardsMessageOnly(String code) {
		assertThat(GatewayError.of(failure(Reason.UNAVAILABLE, 503, code, "Their words")).body())
			.isEqualTo(new ErrorResponse("UPSTREAM_UNAVAILABLE", "Their words"));
	}

	@ParameterizedTest
	@EnumSource(names = { "RATE_LIMITED", "INTERNAL_ERROR", "UNAVAILABLE" })
	void ofWhenUpstreamSendsCodeOnlyHasGatewaysMessage(Reason reason) {
		ErrorResponse own = GatewayError.of(failure(reason, 503, null, null)).body();
		assertThat(GatewayError.of(failure(reason, 503, "THEIRS", null)).body())
			.isEqualTo(new ErrorResponse("THEIRS", own.message()));
	}

	@ParameterizedTest
	@EnumSource(names = { "RATE_LIMITED", "INTERNAL_ERROR", "UNAVAILABLE", "FORBIDDEN", "UNEXPECTED_STATUS" })
	void ofWhenUpstreamSendsMessageOnlyHasGatewaysCode(Reason reason) {
		ErrorResponse own = GatewayError.of(failure(reason, 503, null, null)).body();
		assertThat(GatewayError.of(failure(reason, 503, null, "Their words")).body())
			.isEqualTo(new ErrorResponse(own.code(), "Their words"));
	}

	@ParameterizedTest
	@EnumSource(names = { "FORBIDDEN", "UNEXPECTED_STATUS" })
	void ofWhenStatusIsUnexpectedHasGatewaysCode(Reason reason) {
		assertThat(GatewayError.of(failure(reason, 404, "THEIRS", "Their words")).body())
			.isEqualTo(new ErrorResponse("UPSTREAM_UNEXPECTED_STATUS", "Their words"));
	}

	@ParameterizedTest
	@CsvSource({ "UNAVAILABLE, 503, 503", "CONNECTION_REFUSED, 0, connection_refused", "INVALID_RESPONSE, 0, 200",
			"UNEXPECTED_STATUS, 520, 520", "BLOCKED, 403, 403", "TUNNEL_REFUSED, 407, http_request_denied" })
	void reasonMatchesProxyStatus(Reason reason, int status, String expected) {
		assertThat(GatewayError.of(failure(reason, status, null, null)).reason()).isEqualTo(expected);
	}

	@Test
	void ofWhenKeyIsRefusedHasGatewaysMessage() {
		ErrorResponse body = GatewayError.of(failure(Reason.UNAUTHORIZED, 401, "THEIRS", "Log in first")).body();
		assertThat(body.code()).isEqualTo("THEIRS");
		assertThat(body.message()).contains("gateway's key", "operator").doesNotContain("Log in");
	}

	@ParameterizedTest
	@EnumSource(Reason.class)
	void ofWhenUpstreamSendsItsCodeKeepsGatewaysCode(Reason reason) {
		assertThat(GatewayError.of(failure(reason, 503, "THEIRS", null)).code())
			.isEqualTo(GatewayError.of(failure(reason, 503, null, null)).code());
	}

	@Test
	void notCachedIsErrorOfGateway() {
		GatewayError error = GatewayError.notCached();
		assertThat(error.status()).isEqualTo(504);
		assertThat(error.body().code()).isEqualTo("NOT_CACHED");
		assertThat(error.proxyStatus()).isEqualTo("error=proxy_internal_response");
	}

	@Test
	void bugIsErrorOfGateway() {
		GatewayError error = GatewayError.bug();
		assertThat(error.status()).isEqualTo(500);
		assertThat(error.body().code()).isEqualTo("INTERNAL_ERROR");
		assertThat(error.proxyStatus()).isEqualTo("error=proxy_internal_error");
	}

	@ParameterizedTest
	@CsvSource({ "400, BAD_REQUEST", "404, NOT_FOUND", "405, METHOD_NOT_ALLOWED", "414, URI_TOO_LONG",
			"417, EXPECTATION_FAILED", "431, REQUEST_HEADER_FIELDS_TOO_LARGE", "501, NOT_IMPLEMENTED",
			"505, HTTP_VERSION_NOT_SUPPORTED" })
	void ofStatusWhenServerRejectsHasStandardName(int status, String code) {
		GatewayError error = GatewayError.ofStatus(status);
		assertThat(error.status()).isEqualTo(status);
		assertThat(error.body().code()).isEqualTo(code);
		assertThat(error.proxyStatus()).isEqualTo("error=http_request_error");
	}

	@ParameterizedTest
	@CsvSource({ "500", "499", "599" })
	void ofStatusWhenBugOrUnknownIsInternalError(int status) {
		assertThat(GatewayError.ofStatus(status)).isEqualTo(GatewayError.bug());
	}

	@ParameterizedTest
	@MethodSource("all")
	void messageIsSentenceWithoutInternalNames(GatewayError error) {
		assertThat(error.body().message()).matches("[A-Z0-9].{3,}\\.")
			.doesNotContainPattern("(?i)exception|java|spring|tomcat|jetty|reactor|null|https?:|\\w\\.\\w")
			.doesNotContainPattern("[a-z][A-Z]");
	}

	@ParameterizedTest
	@MethodSource("all")
	void codeIsInTheRunbook(GatewayError error) {
		boolean ofServer = error.proxyStatus().equals("error=http_request_error");
		String heading = ofServer ? "BAD_REQUEST, NOT_FOUND, METHOD_NOT_ALLOWED, URI_TOO_LONG, …" : error.code();
		assertThat(Path.of("src/docs/runbook.md")).content().contains("\n### %s\n- You see: ".formatted(heading));
	}

	/** A code with several reasons has an entry for each, because remedies differ. */
	@ParameterizedTest
	@EnumSource(names = { "CONNECTION_REFUSED", "CONNECTION_TERMINATED", "TUNNEL_REFUSED", "DNS_ERROR",
			"TLS_PROTOCOL_ERROR", "TLS_CERTIFICATE_ERROR", "CONNECTION_TIMEOUT", "RESPONSE_TIMEOUT" })
	void reasonIsInTheRunbook(Reason reason) throws IOException {
		GatewayError error = GatewayError.of(failure(reason, 503, null, null));
		String section = Files.readString(Path.of("src/docs/runbook.md")).split("\n### %s\n".formatted(error.code()))[1]
			.split("\n### ")[0];
		assertThat(section).contains("\n#### %s\n".formatted(error.reason()));
	}

	static Stream<GatewayError> all() {
		Stream<GatewayError> upstream = Stream.of(Reason.values())
			.map(reason -> GatewayError.of(failure(reason, 503, null, null)));
		Stream<GatewayError> own = IntStream.of(400, 404, 405, 406, 408, 413, 414, 415, 417, 431, 500, 501, 503, 505)
			.mapToObj(GatewayError::ofStatus);
		return Stream
			.of(upstream, own, Stream.of(GatewayError.notCached(), GatewayError.tooManyWaiting(), GatewayError.bug()))
			.flatMap(error -> error);
	}

	@Test
	void renderHasJsonAndHeaders() {
		ResponseEntity<byte[]> answer = GatewayError.of(failure(Reason.RATE_LIMITED, 429, "SLOW", "Say \"please\" – ü"))
			.render("edge", 7);
		byte[] body = Objects.requireNonNull(answer.getBody());
		assertThat(answer.getStatusCode().value()).isEqualTo(429);
		assertThat(body).asString().isEqualTo("{\"code\":\"SLOW\",\"message\":\"Say \\\"please\\\" – ü\"}");
		assertThat(answer.getHeaders().toSingleValueMap()).containsExactlyInAnyOrderEntriesOf(
				Map.of("Content-Type", "application/json", "Content-Length", Integer.toString(body.length),
						"Cache-Control", "no-store", "Proxy-Status", "edge; received-status=429", "Retry-After", "7"));
	}

	@Test
	void renderWhenRetryAfterIsZeroHasNoRetryAfter() {
		assertThat(GatewayError.bug().render("edge", 0).getHeaders().toSingleValueMap())
			.doesNotContainKey("Retry-After");
	}

	@Test
	void tooManyWaitingIsErrorOfGateway() {
		GatewayError error = GatewayError.tooManyWaiting();
		assertThat(error.status()).isEqualTo(503);
		assertThat(error.body().code()).isEqualTo("TOO_MANY_WAITING");
		assertThat(error.proxyStatus()).isEqualTo("error=connection_limit_reached");
	}

	@Test
	void ofStatusWhenUnavailableIsShuttingDown() {
		GatewayError error = GatewayError.ofStatus(503);
		assertThat(error.status()).isEqualTo(503);
		assertThat(error.body().code()).isEqualTo("SHUTTING_DOWN");
		assertThat(error.proxyStatus()).isEqualTo("error=proxy_internal_response");
	}

	private static UpstreamFailure failure(Reason reason, int status, @Nullable String code, @Nullable String message) {
		return new UpstreamFailure(reason, status, code, message, null, 1);
	}

}
