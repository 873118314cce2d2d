package dev.comfygateway.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.comfygateway.simulator.Behaviour;
import dev.comfygateway.simulator.Received;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.upstream.PromptInfo.ExecInfo;
import dev.comfygateway.upstream.UpstreamFailure.Reason;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests of the request, and of the result of each complete response. */
class ComfyCloudClientTests {

	private static final String BODY = "{\"exec_info\": {\"queue_remaining\": 3}}";

	private SimulatedComfyCloud upstream;

	private ClientFixture fixture;

	@BeforeEach
	void start() {
		upstream = SimulatedComfyCloud.start(0, ClientFixture.KEY);
		upstream.queueRemaining(3);
		fixture = ClientFixture.of(upstream.baseUrl());
	}

	@AfterEach
	void stop() {
		upstream.close();
	}

	@Test
	void fetchRequestsThePromptOnly() {
		fixture.fetch();
		Received request = onlyRequest();
		assertThat(request.method()).isEqualTo("GET");
		assertThat(request.target()).isEqualTo("/api/prompt");
		assertThat(request.bodyLength()).isZero();
	}

	@Test
	void fetchSendsKeyAcceptAndUserAgentOnly() {
		fixture.fetch();
		assertThat(onlyRequest().headerLines()).containsExactlyInAnyOrder("Host: 127.0.0.1:" + upstream.port(),
				"X-API-Key: " + ClientFixture.KEY, "Accept: application/json", "User-Agent: comfy-gateway/1.2.3");
	}

	@Test
	void fetchWhenAuthIsNoneSendsNoKey() {
		upstream.behave(Behaviour.answer(200, BODY));
		ClientFixture keyless = ClientFixture.withoutAuthentication(upstream.baseUrl());
		assertThat(keyless.fetch()).isInstanceOf(UpstreamAnswer.class);
		assertThat(onlyRequest().header("X-API-Key")).isEmpty();
		assertThat(onlyRequest().headerLines()).noneMatch(line -> line.contains(ClientFixture.KEY));
	}

	@ParameterizedTest
	@CsvSource({ "application/json, FORBIDDEN", "text/html, BLOCKED" })
	void fetchWhenForbiddenHasReasonByContentType(String contentType, Reason reason) {
		upstream
			.behave(Behaviour.answer(403, Map.of("Content-Type", contentType), "{}".getBytes(StandardCharsets.UTF_8)));
		assertThat(fixture.failure().reason()).isEqualTo(reason);
		assertThat(fixture.attempts()).isEqualTo(Map.of("forbidden", 1L));
	}

	@ParameterizedTest
	@CsvSource({ "Age, 7, PT7S", "X, x, PT0S", "Age, -1, PT0S", "Age, 99999999999999999999, PT999999999S" })
	void fetchWhenResponseHasAgeReturnsIt(String name, String value, Duration age) {
		upstream.behave(Behaviour.answer(200, Map.of("Content-Type", "application/json", name, value),
				BODY.getBytes(StandardCharsets.UTF_8)));
		assertThat(fixture.fetch())
			.isEqualTo(new UpstreamAnswer(new PromptInfo(new PromptInfo.ExecInfo(3L)), age, null, 1));
	}

	@ParameterizedTest
	@CsvSource({ "Deprecation, @1688169599, 'Deprecation 2023-06-30T23:59:59Z, no valid Sunset date'",
			"Deprecation, true, 'Deprecation, no valid Sunset date'",
			"Deprecation, @99999999999999999999, 'Deprecation, no valid Sunset date'",
			"Sunset, 'Sat, 06 Nov 2027 08:49:37 GMT', 'Sunset 2027-11-06T08:49:37Z'",
			"Sunset, comfyui-0123456789abcdef, no valid Sunset date" })
	void fetchWhenDeprecationIsAnnouncedReadsTheDate(String name, String value, String announcement) {
		upstream.behave(Behaviour.answer(200, Map.of("Content-Type", "application/json", name, value),
				BODY.getBytes(StandardCharsets.UTF_8)));
		assertThat(fixture.fetch()).isInstanceOfSatisfying(UpstreamAnswer.class,
				answered -> assertThat(answered.deprecation()).hasToString(announcement));
	}

	@ParameterizedTest
	@CsvSource({ "200, text/html;charset=utf-8, content type text/html", "520, text/plain, content type text/plain",
			"403, application/problem+json, content type application/problem+json",
			"503, no type, no valid content type", "200, text/comfyui-0123456789abcdef,", "500, application/json,",
			"200, application/json;charset=x, no valid content type" })
	void fetchWhenResponseIsNotJsonReportsItsContentType(int status, String type, @Nullable String detail) {
		upstream
			.behave(Behaviour.answer(status, Map.of("Content-Type", type), "<html>".getBytes(StandardCharsets.UTF_8)));
		assertThat(fixture.failure().detail()).isEqualTo(detail);
	}

	@ParameterizedTest
	@CsvSource({ "/proxy, /proxy/api/prompt", "/a/b/, /a/b/api/prompt", "/a%20b, /a%20b/api/prompt", "/, /api/prompt" })
	void fetchWhenBaseUrlHasPathRequestsBelowIt(String path, String target) {
		upstream.behave(Behaviour.answer(200, BODY));
		assertThat(ClientFixture.of(upstream.baseUrl() + path).fetch()).isInstanceOf(UpstreamAnswer.class);
		assertThat(onlyRequest().target()).isEqualTo(target);
	}

	@Test
	void fetchWhenRepeatedReusesTheConnection() {
		fixture.fetch();
		fixture.fetch();
		assertThat(upstream.received()).hasSize(2);
		assertThat(upstream.connections()).isOne();
	}

	@Test
	void fetchWhenSuccessfulReturnsTheAnswer() {
		assertThat(fixture.fetch()).isEqualTo(answered(3));
		assertThat(fixture.attempts()).isEqualTo(Map.of("ok", 1L));
	}

	@Test
	void fetchWhenQueueIsEmptyReturnsZero() {
		upstream.queueRemaining(0);
		assertThat(fixture.fetch()).isEqualTo(answered(0));
	}

	@Test
	void fetchWhenQueueHasMaximumLengthReturnsIt() {
		upstream.queueRemaining(Long.MAX_VALUE);
		assertThat(fixture.fetch()).isEqualTo(answered(Long.MAX_VALUE));
	}

	@ParameterizedTest
	@ValueSource(strings = { "application/json", "application/json;charset=UTF-8", "Application/JSON ; charset=utf-8" })
	void fetchWhenContentTypeIsJsonReturnsTheAnswer(String type) {
		upstream.answer(200, Map.of("Content-Type", type), utf8(BODY));
		assertThat(fixture.fetch()).isEqualTo(answered(3));
	}

	@ParameterizedTest
	@ValueSource(strings = { "text/html", "text/plain", "application/octet-stream", "text/json",
			"application/problem+json", "application/jsonp", "application/*", "*/*", "json", "", "/", "text/html;;;=" })
	void fetchWhenContentTypeIsNotJsonFails(String type) {
		upstream.answer(200, Map.of("Content-Type", type), utf8(BODY));
		failsOnce(Reason.INVALID_RESPONSE, "invalid");
	}

	@Test
	void fetchWhenContentTypeIsMissingFails() {
		upstream.behave(raw("HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n%s".formatted(BODY.length(), BODY)));
		failsOnce(Reason.INVALID_RESPONSE, "invalid");
	}

	@Test
	void fetchWhenLengthIsNotDeclaredReturnsTheAnswer() {
		upstream.behave(raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + BODY));
		assertThat(fixture.fetch()).isEqualTo(answered(3));
	}

	@Test
	void fetchWhenChunkedReturnsTheAnswer() {
		upstream.answer(200, Map.of("Transfer-Encoding", "chunked"),
				utf8(String.format(Locale.ROOT, "%x\r\n%s\r\n0\r\n\r\n", BODY.length(), BODY)));
		assertThat(fixture.fetch()).isEqualTo(answered(3));
	}

	@Test
	void fetchWhenEarlyHintsPrecedeReturnsTheAnswer() {
		upstream.behave(raw("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n"
				+ "Content-Type: application/json\r\nContent-Length: %s\r\n\r\n%s".formatted(BODY.length(), BODY)));
		assertThat(fixture.fetch()).isEqualTo(answered(3));
	}

	@ParameterizedTest
	@MethodSource
	void fetchWhenBodyIsNotAPromptInfoFails(byte[] body) {
		upstream.answer(200, Map.of(), body);
		failsOnce(Reason.INVALID_RESPONSE, "invalid");
	}

	static Stream<byte[]> fetchWhenBodyIsNotAPromptInfoFails() {
		return Stream.of(utf8(""), utf8("not JSON"), utf8("{\"exec_info\":null}"),
				utf8("{\"exec_info\":{\"queue_remaining\":-1}}"), utf8(BODY + BODY),
				BODY.getBytes(StandardCharsets.UTF_16), new byte[] { '{', '"', (byte) 0xff, '"', ':', '1', '}' });
	}

	@Test
	void fetchWhenBodyIsCompressedFails() {
		upstream.answer(200, Map.of("Content-Encoding", "gzip"), gzip(BODY));
		failsOnce(Reason.INVALID_RESPONSE, "invalid");
	}

	@Test
	void fetchWhenBodyHasMaximumSizeReturnsTheAnswer() {
		upstream.answer(200, Map.of(), utf8(BODY + " ".repeat(65_536 - BODY.length())));
		assertThat(fixture.fetch()).isEqualTo(answered(3));
	}

	@Test
	void fetchWhenBodyIsOneByteTooLargeFails() {
		upstream.answer(200, Map.of(), utf8(BODY + " ".repeat(65_537 - BODY.length())));
		failsOnce(Reason.INVALID_RESPONSE, "invalid");
	}

	@Test
	void fetchWhenBodyNeverEndsFails() {
		upstream.behave(Behaviour.ENDLESS);
		failsOnce(Reason.INVALID_RESPONSE, "invalid");
	}

	@ParameterizedTest
	@CsvSource({ "401, UNAUTHORIZED, unauthorized", "403, FORBIDDEN, forbidden", "429, RATE_LIMITED, rate_limited",
			"500, INTERNAL_ERROR, server_error", "201, UNEXPECTED_STATUS, unexpected_status",
			"204, UNEXPECTED_STATUS, unexpected_status", "206, UNEXPECTED_STATUS, unexpected_status",
			"299, UNEXPECTED_STATUS, unexpected_status", "300, UNEXPECTED_STATUS, unexpected_status",
			"304, UNEXPECTED_STATUS, unexpected_status", "400, UNEXPECTED_STATUS, unexpected_status",
			"402, UNEXPECTED_STATUS, unexpected_status", "404, UNEXPECTED_STATUS, unexpected_status",
			"407, UNEXPECTED_STATUS, unexpected_status", "408, UNEXPECTED_STATUS, unexpected_status",
			"418, UNEXPECTED_STATUS, unexpected_status", "421, UNEXPECTED_STATUS, unexpected_status",
			"499, UNEXPECTED_STATUS, unexpected_status", "501, UNEXPECTED_STATUS, unexpected_status",
			"505, UNEXPECTED_STATUS, unexpected_status", "520, UNEXPECTED_STATUS, unexpected_status",
			"599, UNEXPECTED_STATUS, unexpected_status", "999, UNEXPECTED_STATUS, unexpected_status" })
	void fetchWhenStatusIsNotRetryableFailsAfterOneAttempt(int status, Reason reason, String outcome) {
		boolean bodiless = status == 204 || status == 304;
		upstream.answer(status, Map.of(), bodiless ? new byte[0] : utf8("{\"code\":\"A\",\"message\":\"b\"}"));
		UpstreamFailure failure = failsOnce(reason, outcome);
		assertThat(failure.status()).isEqualTo(status);
		assertThat(failure.code()).isEqualTo(bodiless ? null : "A");
		assertThat(failure.message()).isEqualTo(bodiless ? null : "b");
		assertThat(failure.retryAfter()).isNull();
	}

	@ParameterizedTest
	@ValueSource(ints = { 502, 503, 504 })
	void fetchWhenUnavailableTriesTwice(int status) {
		upstream.answer(status, Map.of(), utf8("{\"code\":\"A\",\"message\":\"b\"}"));
		assertThat(fixture.failure()).isEqualTo(new UpstreamFailure(Reason.UNAVAILABLE, status, "A", "b", null, 1));
		assertThat(upstream.received()).hasSize(2);
		assertThat(fixture.attempts()).isEqualTo(Map.of("server_error", 2L));
	}

	@Test
	void fetchWhenUnavailableOnceReturnsTheAnswer() {
		upstream.behave(Behaviour.UNAVAILABLE, Behaviour.NORMAL);
		assertThat(fixture.fetch()).isEqualTo(answered(3));
		assertThat(fixture.attempts()).isEqualTo(Map.of("server_error", 1L, "ok", 1L));
	}

	@Test
	void fetchWhenRetryFailsReturnsItsFailure() {
		upstream.behave(Behaviour.UNAVAILABLE, Behaviour.LIMIT);
		assertThat(fixture.failure().reason()).isEqualTo(Reason.RATE_LIMITED);
		assertThat(fixture.attempts()).isEqualTo(Map.of("server_error", 1L, "rate_limited", 1L));
	}

	@ParameterizedTest
	@ValueSource(ints = { 502, 503, 504 })
	void fetchWhenUnavailableWithRetryAfterTriesOnce(int status) {
		upstream.answer(status, Map.of("Retry-After", "2"), new byte[0]);
		assertThat(failsOnce(Reason.UNAVAILABLE, "server_error").retryAfter()).isEqualTo(Duration.ofSeconds(2));
	}

	@ParameterizedTest
	@ValueSource(strings = { "0", "Sun, 01 Mar 2026 11:59:59 GMT" })
	void fetchWhenUnavailableWithPastRetryAfterTriesOnce(String retryAfter) {
		upstream.answer(503, Map.of("Retry-After", retryAfter), new byte[0]);
		assertThat(failsOnce(Reason.UNAVAILABLE, "server_error").retryAfter()).isEqualTo(Duration.ZERO);
	}

	@ParameterizedTest
	@ValueSource(strings = { "soon", "-1", "", "1.5" })
	void fetchWhenUnavailableAndRetryAfterIsInvalidTriesTwice(String retryAfter) {
		upstream.answer(503, Map.of("Retry-After", retryAfter), new byte[0]);
		assertThat(fixture.failure().retryAfter()).isNull();
		assertThat(upstream.received()).hasSize(2);
	}

	@ParameterizedTest
	@CsvSource(delimiter = ';',
			value = { "7;7", "Sun, 01 Mar 2026 12:00:30 GMT;30", "301;300", "Mon, 01 Mar 2027 12:00:30 GMT;300" })
	void fetchWhenRateLimitedReturnsRetryAfter(String retryAfter, long seconds) {
		upstream.answer(429, Map.of("Retry-After", retryAfter), new byte[0]);
		assertThat(failsOnce(Reason.RATE_LIMITED, "rate_limited").retryAfter()).isEqualTo(Duration.ofSeconds(seconds));
	}

	@Test
	void fetchWhenErrorContainsTheKeyMasksIt() {
		upstream.answer(500, Map.of(),
				utf8("{\"code\":\"%1$s\",\"message\":\"Bad key %1$s\\n\"}".formatted(ClientFixture.KEY)));
		UpstreamFailure failure = failsOnce(Reason.INTERNAL_ERROR, "server_error");
		assertThat(failure.code()).isNull();
		assertThat(failure.message()).isEqualTo("Bad key ***");
		assertThat(failure.toString()).doesNotContain(ClientFixture.KEY);
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "Internal Server Error", "{\"error\":{\"code\":\"A\",\"message\":\"b\"}}", "[]" })
	void fetchWhenErrorHasAnotherShapeDropsItsText(String body) {
		upstream.answer(500, Map.of(), utf8(body));
		assertDropsText(Reason.INTERNAL_ERROR, "server_error");
	}

	@Test
	void fetchWhenErrorHasNoJsonContentTypeDropsItsText() {
		upstream.answer(500, Map.of("Content-Type", "text/html"), utf8("{\"code\":\"A\",\"message\":\"b\"}"));
		assertDropsText(Reason.INTERNAL_ERROR, "server_error");
	}

	@Test
	void fetchWhenErrorIsTooLargeDropsItsText() {
		upstream.answer(500, Map.of(), utf8("{\"code\":\"A\",\"message\":\"b\"}" + " ".repeat(65_536)));
		assertDropsText(Reason.INTERNAL_ERROR, "server_error");
	}

	@Test
	void fetchWhenErrorIsCutOffDropsItsText() {
		upstream.behave(raw("HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\n"
				+ "Content-Length: 100\r\n\r\n{\"code\":\"A\",\"message\":\"b\"}"));
		assertDropsText(Reason.INTERNAL_ERROR, "server_error");
	}

	@ParameterizedTest
	@ValueSource(ints = { 301, 302, 303, 307, 308 })
	void fetchWhenRedirectedDoesNotFollow(int status) {
		try (SimulatedComfyCloud elsewhere = SimulatedComfyCloud.start(0, ClientFixture.KEY)) {
			upstream.answer(status, Map.of("Location", elsewhere.baseUrl() + "/api/prompt"), new byte[0]);
			assertThat(failsOnce(Reason.UNEXPECTED_STATUS, "unexpected_status").status()).isEqualTo(status);
			assertThat(elsewhere.connections()).isZero();
		}
	}

	@Test
	void fetchWhenChallengedSendsNoCredentials() {
		upstream.answer(401, Map.of("WWW-Authenticate", "Basic realm=\"x\""), new byte[0]);
		failsOnce(Reason.UNAUTHORIZED, "unauthorized");
	}

	@Test
	void fetchWhenCookieIsSetDoesNotSendIt() {
		upstream.answer(200, Map.of("Set-Cookie", "session=1; Path=/"), utf8(BODY));
		fixture.fetch();
		fixture.fetch();
		assertThat(upstream.received()).hasSize(2)
			.allSatisfy(request -> assertThat(request.header("Cookie")).isEmpty());
	}

	private UpstreamFailure failsOnce(Reason reason, String outcome) {
		UpstreamFailure failure = fixture.failure();
		assertThat(failure.reason()).isEqualTo(reason);
		assertThat(upstream.received()).hasSize(1);
		assertThat(fixture.attempts()).isEqualTo(Map.of(outcome, 1L));
		return failure;
	}

	private void assertDropsText(Reason reason, String outcome) {
		UpstreamFailure failure = failsOnce(reason, outcome);
		assertThat(failure.code()).isNull();
		assertThat(failure.message()).isNull();
	}

	private Received onlyRequest() {
		assertThat(upstream.received()).hasSize(1);
		return upstream.received().getFirst();
	}

	private static UpstreamAnswer answered(long remaining) {
		return new UpstreamAnswer(new PromptInfo(new ExecInfo(remaining)), 1);
	}

	private static Behaviour raw(String text) {
		return Behaviour.raw(utf8(text));
	}

	private static byte[] gzip(String text) {
		ByteArrayOutputStream bytes = new ByteArrayOutputStream();
		try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
			gzip.write(utf8(text));
		}
		catch (IOException e) {
			throw new AssertionError(e);
		}
		return bytes.toByteArray();
	}

	private static byte[] utf8(String text) {
		return text.getBytes(StandardCharsets.UTF_8);
	}

}
