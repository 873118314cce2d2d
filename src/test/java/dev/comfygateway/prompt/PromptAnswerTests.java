package dev.comfygateway.prompt;

import dev.comfygateway.cache.Lookup;
import dev.comfygateway.cache.Lookup.Detail;
import dev.comfygateway.cache.Lookup.Forward;
import dev.comfygateway.cache.Snapshot;
import dev.comfygateway.cache.Snapshots;
import dev.comfygateway.support.GatewaySettings;
import dev.comfygateway.upstream.UpstreamFailure;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.mock.web.MockHttpServletResponse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

class PromptAnswerTests {

	private static final Duration FRESH_FOR = Duration.ofSeconds(2);

	private final Snapshot snapshot = Snapshots.of(3);

	private final SimpleMeterRegistry meters = new SimpleMeterRegistry();

	private final MockHttpServletRequest request = new MockHttpServletRequest("GET", "/api/prompt");

	@Test
	void writeWhenStoredIsContractsJson() throws IOException {
		MockHttpServletResponse response = write(stored(Duration.ZERO, Detail.NONE, null));
		assertThat(response.getStatus()).isEqualTo(200);
		assertThat(response.getContentType()).isEqualTo("application/json");
		assertThat(response.getContentAsString()).isEqualTo("{\"exec_info\":{\"queue_remaining\":3}}");
		assertThat(response.getContentLength()).isEqualTo(response.getContentAsByteArray().length);
	}

	@Test
	void writeWhenStoredHasThoseHeadersOnly() throws IOException {
		MockHttpServletResponse response = write(stored(Duration.ZERO, Detail.NONE, null));
		assertThat(headers(response))
			.containsOnlyKeys("ETag", "Cache-Control", "Cache-Status", "Age", "Content-Type", "Content-Length")
			.containsEntry("ETag", snapshot.etag())
			.containsEntry("Cache-Control", "max-age=2, must-revalidate");
	}

	@Test
	void writeWhenFetchedHasThoseHeadersOnly() throws IOException {
		MockHttpServletResponse response = write(new Lookup.Fetched(snapshot, Forward.URI_MISS, false));
		assertThat(headers(response)).containsOnlyKeys("ETag", "Cache-Control", "Cache-Status", "Content-Type",
				"Content-Length");
		assertThat(response.getContentAsString()).isEqualTo("{\"exec_info\":{\"queue_remaining\":3}}");
	}

	@ParameterizedTest
	@CsvSource({ "PT0S, 0", "PT0.000000001S, 1", "PT1S, 1", "PT1.000000001S, 2", "PT31.5S, 32" })
	void writeWhenStoredRoundsAgeUp(Duration age, String expected) throws IOException {
		assertThat(write(stored(age, Detail.NONE, null)).getHeader("Age")).isEqualTo(expected);
	}

	@ParameterizedTest
	@CsvSource({ "PT0S, hit; ttl=2", "PT0.000000001S, hit; ttl=1", "PT1S, hit; ttl=1", "PT1.9S, hit; ttl=0" })
	void writeWhenFreshIsHitWithSecondsLeft(Duration age, String expected) throws IOException {
		assertThat(cacheStatus(stored(age, Detail.NONE, null))).isEqualTo("comfy-gateway; " + expected);
	}

	@Test
	void writeWhenWithinRefreshFloorSaysSo() throws IOException {
		assertThat(cacheStatus(stored(Duration.ofMillis(400), Detail.REFRESH_FLOOR, null)))
			.isEqualTo("comfy-gateway; hit; ttl=1; detail=refresh-floor");
	}

	@ParameterizedTest
	@CsvSource({ "PT2.1S, -1", "PT3S, -1", "PT4.5S, -3" })
	void writeWhenRevalidatingSaysSo(Duration age, String ttl) throws IOException {
		assertThat(cacheStatus(stored(age, Detail.REVALIDATING, null)))
			.isEqualTo("comfy-gateway; hit; ttl=" + ttl + "; detail=revalidating");
	}

	@ParameterizedTest
	@CsvSource({ "RATE_LIMITED, rate_limited", "INTERNAL_ERROR, internal_error", "UNAVAILABLE, upstream_unavailable",
			"INVALID_RESPONSE, upstream_invalid_response", "RESPONSE_INCOMPLETE, upstream_invalid_response",
			"PROTOCOL_ERROR, upstream_invalid_response", "CONNECTION_REFUSED, upstream_unreachable",
			"CONNECTION_TERMINATED, upstream_unreachable", "DNS_ERROR, upstream_unreachable",
			"TLS_PROTOCOL_ERROR, upstream_unreachable", "TLS_CERTIFICATE_ERROR, upstream_unreachable",
			"CONNECTION_TIMEOUT, upstream_timeout", "RESPONSE_TIMEOUT, upstream_timeout" })
	void writeWhenStaleInsteadOfFailureTellsGatewaysOwnCode(Reason reason, String code) throws IOException {
		UpstreamFailure failure = new UpstreamFailure(reason, 503, "THEIR_CODE", "Their message", null, 1);
		assertThat(cacheStatus(stored(Duration.ofSeconds(6), Detail.UPSTREAM_FAILURE, failure)))
			.isEqualTo("comfy-gateway; hit; ttl=-4; detail=" + code);
	}

	@ParameterizedTest
	@CsvSource({ "URI_MISS, false, fwd=uri-miss; stored; ttl=2", "STALE, false, fwd=stale; stored; ttl=2",
			"REQUEST, false, fwd=request; stored; ttl=2", "URI_MISS, true, fwd=uri-miss; collapsed; stored; ttl=2",
			"STALE, true, fwd=stale; collapsed; stored; ttl=2",
			"REQUEST, true, fwd=request; collapsed; stored; ttl=2" })
	void writeWhenFetchedSaysWhy(Forward forward, boolean collapsed, String expected) throws IOException {
		MockHttpServletResponse response = write(new Lookup.Fetched(snapshot, forward, collapsed));
		assertThat(response.getHeader("Cache-Status")).isEqualTo("comfy-gateway; " + expected);
		assertThat(response.getHeader("Age")).isNull();
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', value = { "0s | no-cache", "999ms | no-cache", "1s | max-age=1, must-revalidate",
			"1500ms | max-age=1, must-revalidate", "5m | max-age=300, must-revalidate" })
	void writeWhenFreshForDiffersLimitsMaxAge(String freshFor, String expected) throws IOException {
		MockHttpServletResponse response = write(new Lookup.Fetched(snapshot, Forward.STALE, false),
				"fresh-for=" + freshFor);
		assertThat(response.getHeader("Cache-Control")).isEqualTo(expected);
	}

	@Test
	void writeWhenNameIsSetUsesIt() throws IOException {
		assertThat(write(new Lookup.Fetched(snapshot, Forward.STALE, false), "name=edge-7").getHeader("Cache-Status"))
			.startsWith("edge-7; fwd=");
		assertThat(write(failed(Reason.DNS_ERROR, false), "name=edge-7").getHeader("Proxy-Status"))
			.isEqualTo("edge-7; error=dns_error");
	}

	@Test
	void writeWhenTagMatchesStoredIsNotModified() throws IOException {
		request.addHeader("If-None-Match", "W/\"other\", " + snapshot.etag());
		MockHttpServletResponse response = write(stored(Duration.ofSeconds(1), Detail.NONE, null));
		assertThat(response.getStatus()).isEqualTo(304);
		assertThat(response.getContentAsByteArray()).isEmpty();
		assertThat(headers(response)).containsOnlyKeys("ETag", "Cache-Control", "Cache-Status", "Age")
			.containsEntry("ETag", snapshot.etag())
			.containsEntry("Cache-Control", "max-age=2, must-revalidate")
			.containsEntry("Cache-Status", "comfy-gateway; hit; ttl=1")
			.containsEntry("Age", "1");
	}

	@Test
	void writeWhenTagMatchesFetchedIsNotModifiedWithoutAge() throws IOException {
		request.addHeader("If-None-Match", "*");
		MockHttpServletResponse response = write(new Lookup.Fetched(snapshot, Forward.STALE, false));
		assertThat(response.getStatus()).isEqualTo(304);
		assertThat(headers(response)).containsOnlyKeys("ETag", "Cache-Control", "Cache-Status");
	}

	@Test
	void writeWhenTagStandsOnSecondLineIsNotModified() throws IOException {
		request.addHeader("If-None-Match", "\"other\"");
		request.addHeader("If-None-Match", snapshot.etag());
		assertThat(write(stored(Duration.ZERO, Detail.NONE, null)).getStatus()).isEqualTo(304);
	}

	@Test
	void writeWhenTagIsOfAnotherBodyIsWhole() throws IOException {
		request.addHeader("If-None-Match", Snapshots.of(4).etag());
		assertThat(write(stored(Duration.ZERO, Detail.NONE, null)).getStatus()).isEqualTo(200);
	}

	@Test
	void writeWhenTagMatchesButNothingCanBeServedIsError() throws IOException {
		request.addHeader("If-None-Match", "*");
		assertThat(write(failed(Reason.UNAUTHORIZED, true)).getStatus()).isEqualTo(401);
	}

	@Test
	void writeWhenFailedHasThoseHeadersOnly() throws IOException {
		MockHttpServletResponse response = write(failed(Reason.CONNECTION_REFUSED, false));
		assertThat(response.getStatus()).isEqualTo(502);
		assertThat(headers(response))
			.containsOnlyKeys("Cache-Control", "Proxy-Status", "Content-Type", "Content-Length")
			.containsEntry("Cache-Control", "no-store")
			.containsEntry("Proxy-Status", "comfy-gateway; error=connection_refused")
			.containsEntry("Content-Type", "application/json");
		assertThat(response.getContentAsString())
			.isEqualTo("{\"code\":\"UPSTREAM_UNREACHABLE\",\"message\":\"The upstream cannot be reached.\"}");
	}

	@ParameterizedTest
	@EnumSource(Reason.class)
	void writeWhenFailedFromCooldownTellsWhenToComeBack(Reason reason) throws IOException {
		assertThat(write(failed(reason, true)).getHeader("Retry-After")).isEqualTo("9");
	}

	@ParameterizedTest
	@ValueSource(booleans = { false, true })
	void writeWhenRateLimitedTellsWhenToComeBack(boolean fromCooldown) throws IOException {
		assertThat(write(failed(Reason.RATE_LIMITED, fromCooldown)).getHeader("Retry-After")).isEqualTo("9");
	}

	@ParameterizedTest
	@CsvSource({ "502, ", "503, 9", "504, " })
	void writeWhenUnavailableTellsWhenToComeBackWith503(int status, @Nullable String expected) throws IOException {
		UpstreamFailure failure = new UpstreamFailure(Reason.UNAVAILABLE, status, null, null, null, 1);
		MockHttpServletResponse response = write(new Lookup.Failed(failure, 9, false));
		assertThat(response.getStatus()).isEqualTo(status);
		assertThat(response.getHeader("Retry-After")).isEqualTo(expected);
	}

	@ParameterizedTest
	@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = { "RATE_LIMITED", "UNAVAILABLE" })
	void writeWhenOtherwiseFailedHasNoRetryAfter(Reason reason) throws IOException {
		assertThat(write(failed(reason, false)).getHeader("Retry-After")).isNull();
	}

	@Test
	void writeWhenNotCachedIsError() throws IOException {
		MockHttpServletResponse response = write(new Lookup.NotCached());
		assertThat(response.getStatus()).isEqualTo(504);
		assertThat(response.getHeader("Proxy-Status")).isEqualTo("comfy-gateway; error=proxy_internal_response");
		assertThat(response.getHeader("Retry-After")).isNull();
		assertThat(response.getContentAsString()).contains("\"code\":\"NOT_CACHED\"");
	}

	@Test
	void writeWhenAwaitedIsRefused() {
		assertThatIllegalStateException().isThrownBy(() -> write(new Lookup.Awaited(new CompletableFuture<>())));
	}

	@Test
	void writeBugIsError() throws IOException {
		MockHttpServletResponse response = new MockHttpServletResponse();
		answer().writeBug(response);
		assertThat(response.getStatus()).isEqualTo(500);
		assertThat(response.getHeader("Proxy-Status")).isEqualTo("comfy-gateway; error=proxy_internal_error");
		assertThat(counts()).isEqualTo(Map.of("error", 1.0));
	}

	@Test
	void writeWhenFreshCountsHit() throws IOException {
		write(stored(FRESH_FOR.minusNanos(1), Detail.NONE, null));
		assertThat(counts()).isEqualTo(Map.of("hit", 1.0));
	}

	@Test
	void writeWhenWithinRefreshFloorCountsHit() throws IOException {
		write(stored(Duration.ofMillis(400), Detail.REFRESH_FLOOR, null));
		assertThat(counts()).isEqualTo(Map.of("hit", 1.0));
	}

	@ParameterizedTest
	@EnumSource(names = { "NONE", "REVALIDATING" })
	void writeWhenStaleCountsStale(Detail detail) throws IOException {
		write(stored(FRESH_FOR, detail, null));
		assertThat(counts()).isEqualTo(Map.of("stale", 1.0));
	}

	@Test
	void writeWhenStaleInsteadOfFailureCountsStale() throws IOException {
		write(stored(Duration.ofSeconds(6), Detail.UPSTREAM_FAILURE, failed(Reason.DNS_ERROR, true).failure()));
		assertThat(counts()).isEqualTo(Map.of("stale", 1.0));
	}

	@Test
	void writeWhenFetchedCountsMiss() throws IOException {
		write(new Lookup.Fetched(snapshot, Forward.STALE, false));
		assertThat(counts()).isEqualTo(Map.of("miss", 1.0));
	}

	@Test
	void writeWhenFetchedWithOthersCountsCollapsed() throws IOException {
		write(new Lookup.Fetched(snapshot, Forward.STALE, true));
		assertThat(counts()).isEqualTo(Map.of("collapsed", 1.0));
	}

	@Test
	void writeWhenNotModifiedCountsNothingElse() throws IOException {
		request.addHeader("If-None-Match", snapshot.etag());
		write(new Lookup.Fetched(snapshot, Forward.STALE, true));
		assertThat(counts()).isEqualTo(Map.of("not_modified", 1.0));
	}

	@Test
	void writeWhenFailedCountsError() throws IOException {
		write(failed(Reason.DNS_ERROR, false));
		write(new Lookup.NotCached());
		assertThat(counts()).isEqualTo(Map.of("error", 2.0));
	}

	private Lookup.Stored stored(Duration age, Detail detail, @Nullable UpstreamFailure failure) {
		return new Lookup.Stored(snapshot, age.toNanos(), FRESH_FOR.minus(age).toNanos(), detail, failure);
	}

	private static Lookup.Failed failed(Reason reason, boolean fromCooldown) {
		int status = (reason == Reason.UNAVAILABLE) ? 503 : 418;
		return new Lookup.Failed(new UpstreamFailure(reason, status, null, null, null, 1), 9, fromCooldown);
	}

	private @Nullable String cacheStatus(Lookup lookup) throws IOException {
		return write(lookup).getHeader("Cache-Status");
	}

	private MockHttpServletResponse write(Lookup lookup, String... settings) throws IOException {
		MockHttpServletResponse response = new MockHttpServletResponse();
		answer(settings).write(lookup, request, response);
		return response;
	}

	private PromptAnswer answer(String... settings) {
		return new PromptAnswer(GatewaySettings.with(settings), new PromptMetrics(meters));
	}

	private static Map<String, String> headers(MockHttpServletResponse response) {
		return response.getHeaderNames()
			.stream()
			.collect(Collectors.toMap(name -> name, name -> String.join("|", response.getHeaders(name))));
	}

	/** Results that were counted, and how often. */
	private Map<String, Double> counts() {
		return meters.find("comfy.gateway.requests")
			.counters()
			.stream()
			.filter(counter -> counter.count() > 0)
			.collect(Collectors.toMap(counter -> String.valueOf(counter.getId().getTag("result")), Counter::count));
	}

}
