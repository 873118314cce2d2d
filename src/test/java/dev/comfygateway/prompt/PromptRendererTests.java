package dev.comfygateway.prompt;

import dev.comfygateway.cache.Lookup;
import dev.comfygateway.cache.Lookup.Detail;
import dev.comfygateway.cache.Lookup.Forward;
import dev.comfygateway.cache.Snapshot;
import dev.comfygateway.cache.Snapshots;
import dev.comfygateway.support.GatewaySettings;
import dev.comfygateway.upstream.UpstreamFailure;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import dev.comfygateway.prompt.PromptMetrics.Result;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.http.ResponseEntity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

class PromptRendererTests {

	private static final Duration FRESH_FOR = Duration.ofSeconds(2);

	private final Snapshot snapshot = Snapshots.of(3);

	private final List<String> ifNoneMatch = new ArrayList<>();

	@Test
	void renderWhenStoredIsContractsJson() {
		ResponseEntity<byte[]> response = render(stored(Duration.ZERO, Detail.NONE, null));
		assertThat(response.getStatusCode().value()).isEqualTo(200);
		assertThat(response.getHeaders().getFirst("Content-Type")).isEqualTo("application/json");
		assertThat(body(response)).isEqualTo("{\"exec_info\":{\"queue_remaining\":3}}");
		assertThat(response.getHeaders().getContentLength()).isEqualTo(body(response).length());
	}

	@Test
	void renderWhenStoredHasExpectedHeadersOnly() {
		ResponseEntity<byte[]> response = render(stored(Duration.ZERO, Detail.NONE, null));
		assertThat(headers(response))
			.containsOnlyKeys("ETag", "Cache-Control", "Cache-Status", "Age", "Content-Type", "Content-Length")
			.containsEntry("ETag", snapshot.etag())
			.containsEntry("Cache-Control", "max-age=2");
	}

	@Test
	void renderWhenFetchedHasExpectedHeadersOnly() {
		ResponseEntity<byte[]> response = render(
				new Lookup.Fetched(snapshot, 0, FRESH_FOR.toNanos(), Forward.URI_MISS, false, false));
		assertThat(headers(response)).containsOnlyKeys("ETag", "Cache-Control", "Cache-Status", "Content-Type",
				"Content-Length");
		assertThat(body(response)).isEqualTo("{\"exec_info\":{\"queue_remaining\":3}}");
	}

	@ParameterizedTest
	@CsvSource({ "PT0S, 0", "PT0.000000001S, 1", "PT1S, 1", "PT1.000000001S, 2", "PT31.5S, 32" })
	void renderWhenStoredRoundsAgeUp(Duration age, String expected) {
		assertThat(render(stored(age, Detail.NONE, null)).getHeaders().getFirst("Age")).isEqualTo(expected);
	}

	@ParameterizedTest
	@CsvSource({ "PT0S, hit; ttl=2", "PT0.000000001S, hit; ttl=1", "PT1S, hit; ttl=1", "PT1.9S, hit; ttl=0" })
	void renderWhenFreshIsHitWithSecondsLeft(Duration age, String expected) {
		assertThat(cacheStatus(stored(age, Detail.NONE, null))).isEqualTo("comfy-gateway; " + expected);
	}

	@Test
	void renderWhenWithinRefreshFloorHasTheDetail() {
		assertThat(cacheStatus(stored(Duration.ofMillis(400), Detail.REFRESH_FLOOR, null)))
			.isEqualTo("comfy-gateway; hit; ttl=1; detail=refresh-floor");
	}

	@ParameterizedTest
	@CsvSource({ "PT2.1S, -1", "PT3S, -1", "PT4.5S, -3" })
	void renderWhenRevalidatingHasTheDetail(Duration age, String ttl) {
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
	void renderWhenStaleOnErrorHasGatewaysCode(Reason reason, String code) {
		UpstreamFailure failure = new UpstreamFailure(reason, 503, "THEIR_CODE", "Their message", null, 1);
		assertThat(cacheStatus(stored(Duration.ofSeconds(6), Detail.UPSTREAM_FAILURE, failure)))
			.isEqualTo("comfy-gateway; hit; ttl=-4; detail=" + code);
	}

	@ParameterizedTest
	@CsvSource({ "URI_MISS, false, fwd=uri-miss; stored; ttl=2", "STALE, false, fwd=stale; stored; ttl=2",
			"REQUEST, false, fwd=request; stored; ttl=2", "URI_MISS, true, fwd=uri-miss; collapsed; stored; ttl=2",
			"STALE, true, fwd=stale; collapsed; stored; ttl=2",
			"REQUEST, true, fwd=request; collapsed; stored; ttl=2" })
	void renderWhenFetchedHasTheForwardReason(Forward forward, boolean collapsed, String expected) {
		ResponseEntity<byte[]> response = render(
				new Lookup.Fetched(snapshot, 0, FRESH_FOR.toNanos(), forward, collapsed, false));
		assertThat(response.getHeaders().getFirst("Cache-Status")).isEqualTo("comfy-gateway; " + expected);
		assertThat(response.getHeaders().getFirst("Age")).isNull();
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|',
			value = { "0s | no-cache", "999ms | no-cache", "1s | max-age=1", "1500ms | max-age=1", "5m | max-age=300" })
	void renderWhenFreshForDiffersLimitsMaxAge(String freshFor, String expected) {
		ResponseEntity<byte[]> response = render(
				new Lookup.Fetched(snapshot, 0, FRESH_FOR.toNanos(), Forward.STALE, false, false),
				"fresh-for=" + freshFor);
		assertThat(response.getHeaders().getFirst("Cache-Control")).isEqualTo(expected);
	}

	@Test
	void renderWhenNameIsSetUsesIt() {
		assertThat(
				render(new Lookup.Fetched(snapshot, 0, FRESH_FOR.toNanos(), Forward.STALE, false, false), "name=edge-7")
					.getHeaders()
					.getFirst("Cache-Status"))
			.startsWith("edge-7; fwd=");
		assertThat(render(failed(Reason.DNS_ERROR), "name=edge-7").getHeaders().getFirst("Proxy-Status"))
			.isEqualTo("edge-7; error=dns_error");
	}

	@Test
	void renderWhenTagMatchesStoredIsNotModified() {
		ifNoneMatch.add("W/\"other\", " + snapshot.etag());
		ResponseEntity<byte[]> response = render(stored(Duration.ofSeconds(1), Detail.NONE, null));
		assertThat(response.getStatusCode().value()).isEqualTo(304);
		assertThat(response.getBody()).isNull();
		assertThat(headers(response)).containsOnlyKeys("ETag", "Cache-Control", "Cache-Status", "Age")
			.containsEntry("ETag", snapshot.etag())
			.containsEntry("Cache-Control", "max-age=2")
			.containsEntry("Cache-Status", "comfy-gateway; hit; ttl=1")
			.containsEntry("Age", "1");
	}

	@Test
	void renderWhenTagMatchesFetchedIsNotModifiedWithoutAge() {
		ifNoneMatch.add("*");
		ResponseEntity<byte[]> response = render(
				new Lookup.Fetched(snapshot, 0, FRESH_FOR.toNanos(), Forward.STALE, false, false));
		assertThat(response.getStatusCode().value()).isEqualTo(304);
		assertThat(headers(response)).containsOnlyKeys("ETag", "Cache-Control", "Cache-Status");
	}

	@Test
	void renderWhenTagIsOnSecondLineIsNotModified() {
		ifNoneMatch.add("\"other\"");
		ifNoneMatch.add(snapshot.etag());
		assertThat(render(stored(Duration.ZERO, Detail.NONE, null)).getStatusCode().value()).isEqualTo(304);
	}

	@Test
	void renderWhenTagDiffersIsComplete() {
		ifNoneMatch.add(Snapshots.of(4).etag());
		assertThat(render(stored(Duration.ZERO, Detail.NONE, null)).getStatusCode().value()).isEqualTo(200);
	}

	@Test
	void renderWhenTagMatchesButNothingCanBeServedIsError() {
		ifNoneMatch.add("*");
		assertThat(render(failed(Reason.UNAUTHORIZED)).getStatusCode().value()).isEqualTo(401);
	}

	@Test
	void renderWhenFailedHasExpectedHeadersOnly() {
		ResponseEntity<byte[]> response = render(failed(Reason.CONNECTION_REFUSED));
		assertThat(response.getStatusCode().value()).isEqualTo(502);
		assertThat(headers(response))
			.containsOnlyKeys("Cache-Control", "Proxy-Status", "Content-Type", "Content-Length", "Retry-After")
			.containsEntry("Cache-Control", "no-store")
			.containsEntry("Proxy-Status", "comfy-gateway; error=connection_refused")
			.containsEntry("Content-Type", "application/json");
		assertThat(body(response))
			.isEqualTo("{\"code\":\"UPSTREAM_UNREACHABLE\",\"message\":\"The upstream cannot be reached.\"}");
	}

	@ParameterizedTest
	@EnumSource(Reason.class)
	void renderWhenFailedHasRetryAfter(Reason reason) {
		assertThat(render(failed(reason)).getHeaders().getFirst("Retry-After")).isEqualTo("9");
	}

	@ParameterizedTest
	@ValueSource(ints = { 502, 503, 504 })
	void renderWhenUnavailableHasUpstreamsStatus(int status) {
		UpstreamFailure failure = new UpstreamFailure(Reason.UNAVAILABLE, status, null, null, null, 1);
		assertThat(render(new Lookup.Failed(failure, 9)).getStatusCode().value()).isEqualTo(status);
	}

	@Test
	void renderWhenAnotherReplicaFetchedHasAgeAndDetail() {
		long age = Duration.ofMillis(800).toNanos();
		assertThat(headers(
				render(new Lookup.Fetched(snapshot, age, FRESH_FOR.toNanos() - age, Forward.STALE, true, true))))
			.containsEntry("Age", "1")
			.containsEntry("Cache-Status", "comfy-gateway; fwd=stale; collapsed; stored; ttl=1; detail=fleet");
	}

	@Test
	void renderWhenUpstreamSentAgeHasAge() {
		Snapshot aged = Snapshots.withAge(3, Duration.ofSeconds(1));
		long age = aged.ageOnArrival().toNanos();
		assertThat(headers(render(new Lookup.Fetched(aged, age, FRESH_FOR.toNanos(), Forward.URI_MISS, false, false))))
			.containsEntry("Age", "1")
			.containsEntry("Cache-Status", "comfy-gateway; fwd=uri-miss; stored; ttl=2");
	}

	@Test
	void renderWhenNotCachedIsError() {
		ResponseEntity<byte[]> response = render(new Lookup.NotCached());
		assertThat(response.getStatusCode().value()).isEqualTo(504);
		assertThat(response.getHeaders().getFirst("Proxy-Status"))
			.isEqualTo("comfy-gateway; error=proxy_internal_response");
		assertThat(response.getHeaders().getFirst("Retry-After")).isNull();
		assertThat(body(response)).contains("\"code\":\"NOT_CACHED\"");
	}

	@Test
	void renderWhenAwaitedIsRejected() {
		assertThatIllegalStateException().isThrownBy(() -> render(new Lookup.Awaited(new CompletableFuture<>())));
	}

	@Test
	void bugIsError() {
		ResponseEntity<byte[]> response = renderer().bug();
		assertThat(response.getStatusCode().value()).isEqualTo(500);
		assertThat(headers(response)).containsEntry("Proxy-Status", "comfy-gateway; error=proxy_internal_error");
	}

	@Test
	void tooManyWaitingHasRetryAfter() {
		ResponseEntity<byte[]> response = renderer().tooManyWaiting();
		assertThat(response.getStatusCode().value()).isEqualTo(503);
		assertThat(headers(response)).containsEntry("Proxy-Status", "comfy-gateway; error=connection_limit_reached")
			.containsEntry("Retry-After", "1");
		assertThat(body(response)).contains("\"code\":\"TOO_MANY_WAITING\"");
	}

	@ParameterizedTest
	@ValueSource(strings = { "\"abc\"", "W/\"abc\"", " \"abc\" ", "\"x\", \"abc\"", "\"abc\", \"x\"", "\"x\",\"abc\"",
			"W/\"x\" , W/\"abc\"", "\"a,b\", \"abc\"", "\"a, \", \"abc\"", ",,\"abc\",,", "\t\"abc\"", "*", " * " })
	void renderWhenFieldListsTagIsNotModified(String field) {
		ifNoneMatch.add(field.replace("\"abc\"", snapshot.etag()));
		assertThat(render(stored(Duration.ZERO, Detail.NONE, null)).getStatusCode().value()).isEqualTo(304);
	}

	@ParameterizedTest
	@ValueSource(strings = { "", " ", ",", "\"x\"", "\"x\", \"y\"", "\"\"", "abc", "\"abc", "abc\"", "'abc'", "W/abc",
			"W/", "\"" })
	void renderWhenFieldListsOtherTagsOrNoneIsComplete(String field) {
		ifNoneMatch.add(field);
		assertThat(render(stored(Duration.ZERO, Detail.NONE, null)).getStatusCode().value()).isEqualTo(200);
	}

	@Test
	void resultWhenFreshIsHit() {
		assertThat(PromptRenderer.result(stored(FRESH_FOR.minusNanos(1), Detail.NONE, null))).isEqualTo(Result.HIT);
	}

	@Test
	void resultWhenWithinRefreshFloorIsHit() {
		assertThat(PromptRenderer.result(stored(Duration.ofMillis(400), Detail.REFRESH_FLOOR, null)))
			.isEqualTo(Result.HIT);
	}

	@ParameterizedTest
	@EnumSource(names = { "NONE", "REVALIDATING" })
	void resultWhenStaleIsStale(Detail detail) {
		assertThat(PromptRenderer.result(stored(FRESH_FOR, detail, null))).isEqualTo(Result.STALE);
	}

	@Test
	void resultWhenStaleInsteadOfFailureIsStale() {
		assertThat(PromptRenderer
			.result(stored(Duration.ofSeconds(6), Detail.UPSTREAM_FAILURE, failed(Reason.DNS_ERROR).failure())))
			.isEqualTo(Result.STALE);
	}

	@Test
	void resultWhenFetchedIsMissOrCollapsed() {
		assertThat(PromptRenderer
			.result(new Lookup.Fetched(snapshot, 0, FRESH_FOR.toNanos(), Forward.STALE, false, false)))
			.isEqualTo(Result.MISS);
		assertThat(
				PromptRenderer.result(new Lookup.Fetched(snapshot, 0, FRESH_FOR.toNanos(), Forward.STALE, true, false)))
			.isEqualTo(Result.COLLAPSED);
	}

	@Test
	void resultWhenFailedIsError() {
		assertThat(PromptRenderer.result(failed(Reason.DNS_ERROR))).isEqualTo(Result.ERROR);
		assertThat(PromptRenderer.result(new Lookup.NotCached())).isEqualTo(Result.ERROR);
	}

	@Test
	void rendersSameWhenOnlyFractionsOfASecondDifferIsTrue() {
		Lookup.Stored one = stored(Duration.ofMillis(100), Detail.NONE, null);
		Lookup.Stored other = stored(Duration.ofMillis(900), Detail.NONE, null);
		assertThat(PromptRenderer.rendersSame(one, other)).isTrue();
		assertThat(headers(render(one))).isEqualTo(headers(render(other)));
	}

	@Test
	void rendersSameWhenAgeDetailOrSnapshotDiffersIsFalse() {
		Lookup.Stored one = stored(Duration.ofMillis(100), Detail.NONE, null);
		assertThat(PromptRenderer.rendersSame(one, stored(Duration.ofMillis(1100), Detail.NONE, null))).isFalse();
		assertThat(PromptRenderer.rendersSame(one, stored(Duration.ofMillis(100), Detail.REFRESH_FLOOR, null)))
			.isFalse();
		assertThat(PromptRenderer.rendersSame(one,
				new Lookup.Stored(Snapshots.of(4), one.age(), one.ttl(), Detail.NONE, null)))
			.isFalse();
	}

	@Test
	void rendersSameWhenFailureOrRetryAfterDiffersIsFalse() {
		Lookup.Failed one = failed(Reason.UNAVAILABLE);
		assertThat(PromptRenderer.rendersSame(one, new Lookup.Failed(one.failure(), one.retryAfterSeconds()))).isTrue();
		assertThat(PromptRenderer.rendersSame(one, new Lookup.Failed(one.failure(), 8))).isFalse();
		assertThat(PromptRenderer.rendersSame(one, failed(Reason.INTERNAL_ERROR))).isFalse();
		assertThat(PromptRenderer.rendersSame(one, stored(Duration.ZERO, Detail.UPSTREAM_FAILURE, one.failure())))
			.isFalse();
	}

	private Lookup.Stored stored(Duration age, Detail detail, @Nullable UpstreamFailure failure) {
		return new Lookup.Stored(snapshot, age.toNanos(), FRESH_FOR.minus(age).toNanos(), detail, failure);
	}

	private static Lookup.Failed failed(Reason reason) {
		int status = (reason == Reason.UNAVAILABLE) ? 503 : 418;
		return new Lookup.Failed(new UpstreamFailure(reason, status, null, null, null, 1), 9);
	}

	private @Nullable String cacheStatus(Lookup lookup) {
		return render(lookup).getHeaders().getFirst("Cache-Status");
	}

	private ResponseEntity<byte[]> render(Lookup lookup, String... settings) {
		return renderer(settings).render(lookup, ifNoneMatch);
	}

	private static PromptRenderer renderer(String... settings) {
		return new PromptRenderer(GatewaySettings.with(settings));
	}

	private static String body(ResponseEntity<byte[]> response) {
		return new String(Objects.requireNonNull(response.getBody()), StandardCharsets.UTF_8);
	}

	private static Map<String, String> headers(ResponseEntity<byte[]> response) {
		return response.getHeaders().toSingleValueMap();
	}

}
