package dev.comfygateway.flow;

import dev.comfygateway.simulator.Behaviour;
import dev.comfygateway.simulator.Hold;
import dev.comfygateway.simulator.Received;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.support.GatewayErrors;
import dev.comfygateway.support.FakeTime;
import dev.comfygateway.support.Protocol;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RawConnection.Response;
import dev.comfygateway.support.RunningGateway;
import dev.comfygateway.support.WaitingCallers;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalServerPort;

import static org.assertj.core.api.Assertions.assertThat;

@RunningGateway
@ParameterizedClass
@EnumSource
class WholeFlowTests {

	private static final String NO_CACHE = "Cache-Control: no-cache";

	private static final String ONLY_IF_CACHED = "Cache-Control: only-if-cached";

	@Parameter
	private Protocol protocol = Protocol.HTTP_1_1;

	private final int port;

	private final SimulatedComfyCloud upstream;

	private final FakeTime time;

	private final WaitingCallers callers;

	@Autowired
	WholeFlowTests(@LocalServerPort int port, SimulatedComfyCloud upstream, FakeTime time, WaitingCallers callers) {
		this.port = port;
		this.upstream = upstream;
		this.time = time;
		this.callers = callers;
	}

	@Test
	void answerWhenNothingIsCachedIsFetched() throws IOException {
		Response response = get();
		assertThat(response.status()).isEqualTo(200);
		assertThat(response.body()).isEqualTo("{\"exec_info\":{\"queue_remaining\":3}}");
		assertThat(response.header("Content-Type")).hasValue("application/json");
		assertThat(response.header("Cache-Control")).hasValue("max-age=2");
		assertThat(response.header("ETag")).hasValueSatisfying(tag -> assertThat(tag).matches("\"[0-9a-f]{32}\""));
		assertThat(response.header("Cache-Status")).hasValue("comfy-gateway; fwd=uri-miss; stored; ttl=2");
		assertThat(response.header("Age")).isEmpty();
		assertThat(response.header("Proxy-Status")).isEmpty();
	}

	@ParameterizedTest
	@CsvSource({ "0, 2, 0", "1, 1, 1", "400, 1, 1", "1001, 0, 2", "1999, 0, 2" })
	void answerWhenFreshIsHit(int millis, int ttl, int age) throws IOException {
		get();
		time.advance(Duration.ofMillis(millis));
		upstream.queueRemaining(4);
		Response response = get();
		assertThat(response.body()).contains(":3}");
		assertThat(response.header("Cache-Status")).hasValue("comfy-gateway; hit; ttl=" + ttl);
		assertThat(response.header("Age")).hasValue(Integer.toString(age));
	}

	@Test
	void answerWhenStaleIsServedDuringOneRefresh() throws IOException {
		get();
		upstream.queueRemaining(4);
		time.advance(Duration.ofMillis(2_500));
		int before = upstream.received().size();
		Hold hold = upstream.hold();
		try {
			for (int i = 0; i < 3; i++) {
				Response response = get();
				assertThat(response.body()).contains(":3}");
				assertThat(response.header("Cache-Status")).hasValue("comfy-gateway; hit; ttl=-1; detail=revalidating");
				assertThat(response.header("Age")).hasValue("3");
			}
			hold.awaitArrival(1);
		}
		finally {
			hold.release();
		}
		// Joins the refresh, or finds its answer in the cache
		assertThat(get(NO_CACHE).body()).contains(":4}");
		assertThat(get().header("Cache-Status")).hasValue("comfy-gateway; hit; ttl=2");
		assertThat(upstream.received()).hasSize(before + 1);
	}

	@Test
	void answerWhenTooOldIsFetched() throws IOException {
		get();
		upstream.queueRemaining(4);
		time.advance(Duration.ofSeconds(5));
		Response response = get();
		assertThat(response.body()).contains(":4}");
		assertThat(response.header("Cache-Status")).hasValue("comfy-gateway; fwd=stale; stored; ttl=2");
		assertThat(response.header("Age")).isEmpty();
	}

	@Test
	void answerWhenUpstreamFailsIsStale() throws IOException {
		get();
		upstream.behave(Behaviour.FAIL);
		time.advance(Duration.ofSeconds(6));
		Response response = get();
		assertThat(response.status()).isEqualTo(200);
		assertThat(response.header("Cache-Status")).hasValue("comfy-gateway; hit; ttl=-4; detail=internal_error");
		assertThat(response.header("Age")).hasValue("6");
	}

	@Test
	void answerWhenCoolingDownMakesNoUpstreamRequest() throws IOException {
		get();
		upstream.behave(Behaviour.LIMIT);
		time.advance(Duration.ofSeconds(6));
		get();
		int before = upstream.received().size();
		assertThat(get().header("Cache-Status")).hasValue("comfy-gateway; hit; ttl=-4; detail=rate_limited");
		assertThat(upstream.received()).hasSize(before);
	}

	@Test
	void answerWhenUpstreamFailsAfterStaleIfErrorIsError() throws IOException {
		get();
		upstream.behave(Behaviour.LIMIT);
		time.advance(Duration.ofSeconds(32));
		Response response = get();
		assertThat(response.status()).isEqualTo(429);
		GatewayErrors.assertError(response, "RATE_LIMITED");
		assertThat(response.header("Proxy-Status")).hasValue("comfy-gateway; received-status=429");
		assertThat(response.header("Retry-After")).hasValue("7");
	}

	@Test
	void answerWhenUpstreamRecoversIsFetched() throws IOException {
		upstream.behave(Behaviour.LIMIT);
		get();
		upstream.behave(Behaviour.NORMAL);
		time.advance(Duration.ofMillis(6_999));
		assertThat(get().status()).isEqualTo(429);
		time.advance(Duration.ofMillis(1));
		assertThat(get().status()).isEqualTo(200);
	}

	@Test
	void answerWhenKeyIsRefusedIsError() throws IOException {
		String etag = get().header("ETag").orElseThrow();
		time.advance(Duration.ofSeconds(1));
		upstream.behave(Behaviour.REFUSE);
		assertThat(get(NO_CACHE).status()).isEqualTo(401);
		Response response = get("If-None-Match: " + etag);
		assertThat(response.status()).isEqualTo(401);
		GatewayErrors.assertError(response, "UNAUTHORIZED");
		assertThat(response.body()).doesNotContain("Invalid or missing");
		assertThat(response.header("Proxy-Status")).hasValue("comfy-gateway; received-status=401");
		assertThat(response.header("Retry-After")).isPresent();
	}

	@Test
	void headHasHeadersOfGetAndNoBody() throws IOException {
		get();
		Response response = get();
		try (Protocol.Caller caller = protocol.connect(port)) {
			Response head = caller.send(RawConnection.request("HEAD", "/api/prompt")).read();
			assertThat(head.status()).isEqualTo(200);
			assertThat(head.headers()).filteredOn(header -> !header.getKey().equals("Date"))
				.containsAll(response.headers().stream().filter(header -> !header.getKey().equals("Date")).toList());
			assertThat(head.body()).isEmpty();
			assertThat(caller.send(RawConnection.request("GET", "/api/prompt")).read().body())
				.isEqualTo(response.body());
		}
	}

	@Test
	void headWhenNothingIsCachedFetches() throws IOException {
		Response response = protocol.exchange(port, RawConnection.request("HEAD", "/api/prompt"));
		assertThat(response.header("Cache-Status")).hasValue("comfy-gateway; fwd=uri-miss; stored; ttl=2");
	}

	@ParameterizedTest
	@ValueSource(strings = { "%s", "W/%s", "\"other\", %s", "*" })
	void answerWhenTagMatchesIsNotModified(String ifNoneMatch) throws IOException {
		String etag = get().header("ETag").orElseThrow();
		Response response = get("If-None-Match: " + ifNoneMatch.formatted(etag));
		assertThat(response.status()).isEqualTo(304);
		assertThat(response.header("ETag")).hasValue(etag);
		assertThat(response.header("Cache-Control")).hasValue("max-age=2");
		assertThat(response.header("Cache-Status")).hasValue("comfy-gateway; hit; ttl=2");
	}

	@Test
	void answerWhenFetchedAndTagMatchesIsNotModified() throws IOException {
		String etag = get().header("ETag").orElseThrow();
		time.advance(Duration.ofSeconds(5));
		Response response = get("If-None-Match: " + etag);
		assertThat(response.status()).isEqualTo(304);
		assertThat(response.header("Cache-Status")).hasValue("comfy-gateway; fwd=stale; stored; ttl=2");
	}

	@Test
	void answerWhenTagDiffersIsComplete() throws IOException {
		String etag = get().header("ETag").orElseThrow();
		upstream.queueRemaining(4);
		time.advance(Duration.ofSeconds(5));
		assertThat(get("If-None-Match: " + etag).status()).isEqualTo(200);
	}

	@ParameterizedTest
	@ValueSource(strings = { NO_CACHE, "Pragma: no-cache", "Cache-Control: max-age=0" })
	void answerWhenNewerIsRequestedIsFetched(String header) throws IOException {
		get();
		upstream.queueRemaining(4);
		time.advance(Duration.ofMillis(500));
		Response response = get(header);
		assertThat(response.body()).contains(":4}");
		assertThat(response.header("Cache-Status")).hasValue("comfy-gateway; fwd=request; stored; ttl=2");
	}

	@Test
	void answerWhenNewerIsRequestedWithinRefreshFloorIsHit() throws IOException {
		get();
		time.advance(Duration.ofMillis(499));
		Response response = get(NO_CACHE);
		assertThat(response.header("Cache-Status")).hasValue("comfy-gateway; hit; ttl=1; detail=refresh-floor");
		assertThat(response.header("Age")).hasValue("1");
	}

	@Test
	void answerWhenNewerIsRequestedAndUpstreamFailsIsError() throws IOException {
		get();
		time.advance(Duration.ofSeconds(1));
		upstream.behave(Behaviour.FAIL);
		assertThat(get(NO_CACHE).status()).isEqualTo(500);
		assertThat(get().status()).isEqualTo(200);
	}

	@ParameterizedTest
	@CsvSource({ "1000, hit; ttl=1", "1001, fwd=request; stored; ttl=2", "6000, fwd=request; stored; ttl=2" })
	void answerWhenMaxAgeIsRequestedIsNoOlder(int millis, String cacheStatus) throws IOException {
		get();
		time.advance(Duration.ofMillis(millis));
		assertThat(get("Cache-Control: max-age=1").header("Cache-Status")).hasValue("comfy-gateway; " + cacheStatus);
	}

	@Test
	void answerWhenOnlyIfCachedAndNothingIsCachedIsError() throws IOException {
		int before = upstream.received().size();
		Response response = get(ONLY_IF_CACHED);
		assertThat(response.status()).isEqualTo(504);
		GatewayErrors.assertError(response, "NOT_CACHED");
		assertThat(response.header("Proxy-Status")).hasValue("comfy-gateway; error=proxy_internal_response");
		assertThat(upstream.received()).hasSize(before);
	}

	@Test
	void answerWhenOnlyIfCachedStartsNoRefresh() throws IOException {
		get();
		time.advance(Duration.ofSeconds(3));
		int before = upstream.received().size();
		assertThat(get(ONLY_IF_CACHED).header("Cache-Status")).hasValue("comfy-gateway; hit; ttl=-1");
		time.advance(Duration.ofSeconds(2));
		assertThat(get(ONLY_IF_CACHED).status()).isEqualTo(504);
		assertThat(upstream.received()).hasSize(before);
	}

	@ParameterizedTest
	@ValueSource(strings = { "no-store", "max-age=x", "max-age=-1", "no-cache=\"Set-Cookie\"", "min-fresh=5", ",,=," })
	void answerWhenDirectiveIsUnknownOrMalformedIsHit(String directive) throws IOException {
		get();
		time.advance(Duration.ofSeconds(1));
		assertThat(get("Cache-Control: " + directive).header("Cache-Status")).hasValue("comfy-gateway; hit; ttl=1");
	}

	@ParameterizedTest
	@ValueSource(strings = { "text/html", "application/xml;q=1, */*;q=0", "%%%", "" })
	void answerIgnoresAccept(String accept) throws IOException {
		Response response = get("Accept: " + accept);
		assertThat(response.status()).isEqualTo(200);
		assertThat(response.header("Content-Type")).hasValue("application/json");
	}

	@ParameterizedTest
	@ValueSource(strings = { "cold", "expired" })
	void answerWhenManyCallersWaitIsFetchedOnce(String state) throws IOException, InterruptedException {
		if (state.equals("expired")) {
			get();
			time.advance(Duration.ofSeconds(10));
		}
		String forward = state.equals("expired") ? "fwd=stale" : "fwd=uri-miss";
		int before = upstream.received().size();
		List<Protocol.Caller> clients = new ArrayList<>();
		Hold hold = upstream.hold();
		try {
			for (int i = 0; i < 200; i++) {
				clients.add(protocol.connect(port).send(RawConnection.request("GET", "/api/prompt")));
			}
			callers.await(200);
			hold.release();
			List<String> cacheStatuses = new ArrayList<>();
			for (Protocol.Caller client : clients) {
				Response response = client.read();
				assertThat(response.body()).contains(":3}");
				assertThat(response.header("Age")).isEmpty();
				cacheStatuses.add(response.header("Cache-Status").orElseThrow());
			}
			assertThat(cacheStatuses).containsOnlyOnce("comfy-gateway; %s; stored; ttl=2".formatted(forward))
				.containsOnly("comfy-gateway; %s; stored; ttl=2".formatted(forward),
						"comfy-gateway; %s; collapsed; stored; ttl=2".formatted(forward));
		}
		finally {
			hold.release();
			for (Protocol.Caller client : clients) {
				client.close();
			}
		}
		assertThat(upstream.received()).hasSize(before + 1);
		assertThat(upstream.maxInFlight()).isEqualTo(1);
	}

	@Test
	void errorWhenManyCallersWaitIsFetchedOnce() throws IOException, InterruptedException {
		upstream.behave(Behaviour.LIMIT);
		int before = upstream.received().size();
		List<Protocol.Caller> clients = new ArrayList<>();
		Hold hold = upstream.hold();
		try {
			for (int i = 0; i < 20; i++) {
				clients.add(protocol.connect(port).send(RawConnection.request("GET", "/api/prompt")));
			}
			callers.await(20);
			hold.release();
			for (Protocol.Caller client : clients) {
				assertThat(client.read().status()).isEqualTo(429);
			}
		}
		finally {
			hold.release();
			for (Protocol.Caller client : clients) {
				client.close();
			}
		}
		assertThat(upstream.received()).hasSize(before + 1);
	}

	@Test
	void answerWhenAwaitedFollowsEachRequest() throws IOException {
		String etag = get().header("ETag").orElseThrow();
		time.advance(Duration.ofSeconds(10));
		Hold hold = upstream.hold();
		try (Protocol.Caller first = protocol.connect(port);
				Protocol.Caller head = protocol.connect(port);
				Protocol.Caller conditional = protocol.connect(port)) {
			first.send(RawConnection.request("GET", "/api/prompt"));
			hold.awaitArrival(1);
			head.send(RawConnection.request("HEAD", "/api/prompt"));
			conditional.send(RawConnection.request("GET", "/api/prompt", "If-None-Match: " + etag));
			callers.await(3);
			hold.release();
			assertThat(first.read().body()).contains(":3}");
			Response headers = head.read();
			assertThat(headers.header("Content-Length")).hasValue("35");
			assertThat(headers.header("Cache-Status")).hasValue("comfy-gateway; fwd=stale; collapsed; stored; ttl=2");
			assertThat(headers.body()).isEmpty();
			assertThat(head.send(RawConnection.request("GET", "/livez")).read().body()).contains("UP");
			assertThat(conditional.read().status()).isEqualTo(304);
		}
		finally {
			hold.release();
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "X: x", "Cache-Control: no-cache" })
	void requestWhenTooManyCallersWaitIsRejected(String header) throws IOException {
		List<Protocol.Caller> clients = new ArrayList<>();
		int fetches = upstream.received().size();
		Hold hold = upstream.hold();
		try {
			for (int i = 0; i < RunningGateway.MAX_WAITING; i++) {
				clients.add(protocol.connect(port).send(RawConnection.request("GET", "/api/prompt", header)));
			}
			callers.await(RunningGateway.MAX_WAITING);
			for (String method : List.of("GET", "HEAD", "GET")) {
				Response rejected = protocol.exchange(port, RawConnection.request(method, "/api/prompt", header));
				assertThat(rejected.status()).isEqualTo(503);
				GatewayErrors.assertErrorHeaders(rejected);
				assertThat(rejected.header("Retry-After")).hasValue("1");
				assertThat(rejected.header("Proxy-Status")).hasValue("comfy-gateway; error=connection_limit_reached");
				assertThat(rejected.header("Connection")).isEmpty();
			}
			GatewayErrors.assertError(protocol.get(port, "/api/prompt", header), "TOO_MANY_WAITING");
			assertThat(protocol.get(port, "/livez").status()).isEqualTo(200);
			hold.release();
			for (Protocol.Caller client : clients) {
				assertThat(client.read().body()).contains(":3}");
			}
			callers.await(0);
			assertThat(upstream.received()).hasSize(fetches + 1);
		}
		finally {
			hold.release();
			for (Protocol.Caller client : clients) {
				client.close();
			}
		}
	}

	@Test
	void answerWhenFirstCallerDisconnectsServesNext() throws IOException, InterruptedException {
		int before = upstream.received().size();
		Hold hold = upstream.hold();
		try {
			try (Protocol.Caller first = protocol.connect(port)) {
				first.send(RawConnection.request("GET", "/api/prompt"));
				callers.await(1);
				hold.awaitArrival(1);
			}
			try (Protocol.Caller next = protocol.connect(port)) {
				next.send(RawConnection.request("GET", "/api/prompt"));
				callers.await(2);
				hold.release();
				assertThat(next.read().header("Cache-Status"))
					.hasValue("comfy-gateway; fwd=uri-miss; collapsed; stored; ttl=2");
			}
		}
		finally {
			hold.release();
		}
		assertThat(upstream.received()).hasSize(before + 1);
	}

	@Test
	void upstreamRequestHasNothingOfCaller() throws IOException {
		int before = upstream.received().size();
		Response response = protocol.exchange(port,
				RawConnection.request("GET", "/api/prompt?token=callers", "Cookie: session=callers",
						"Authorization: Bearer callers", "X-API-Key: callers", "Origin: https://callers.example",
						"User-Agent: callers", "X-Forwarded-For: 192.0.2.7", "Forwarded: for=callers",
						"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "Accept: text/callers",
						"Content-Type: text/callers", "Content-Length: 7") + "callers");
		assertThat(response.status()).isEqualTo(200);
		Received received = upstream.received().get(before);
		assertThat(received.method()).isEqualTo("GET");
		assertThat(received.target()).isEqualTo("/api/prompt");
		assertThat(received.bodyLength()).isZero();
		assertThat(received.headerLines()).map(line -> line.substring(0, line.indexOf(':')).toLowerCase(Locale.ROOT))
			.containsExactlyInAnyOrder("host", "accept", "user-agent", "x-api-key");
		assertThat(received.header("X-API-Key")).containsExactly(RunningGateway.KEY);
		assertThat(received.header("Accept")).containsExactly("application/json");
		assertThat(received.header("User-Agent")).allMatch(agent -> agent.startsWith("comfy-gateway/"));
	}

	@Test
	void answerIgnoresQuery() throws IOException {
		get();
		assertThat(protocol.get(port, "/api/prompt?other").header("Cache-Status"))
			.hasValue("comfy-gateway; hit; ttl=2");
	}

	@Test
	void optionsListsMethods() throws IOException {
		Response response = protocol.exchange(port, RawConnection.request("OPTIONS", "/api/prompt"));
		assertThat(response.status()).isEqualTo(204);
		assertThat(response.header("Allow")).hasValue("GET, HEAD, OPTIONS");
	}

	@Test
	void answerWhenNoOriginIsAllowedHasNoCorsHeader() throws IOException {
		Response response = get("Origin: https://dashboard.example");
		assertThat(response.status()).isEqualTo(200);
		assertThat(response.headerNames()).map(name -> name.toLowerCase(Locale.ROOT))
			.noneMatch(name -> name.startsWith("access-control"))
			.doesNotContain("vary");
	}

	@Test
	void answerWhenUpstreamSendsUnknownFieldsDropsThem() throws IOException {
		upstream.behave(Behaviour.answer(200,
				"{\"account\":\"secret\",\"exec_info\":{\"queue_remaining\":5,\"plan\":\"pro\"}}"));
		assertThat(get().body()).isEqualTo("{\"exec_info\":{\"queue_remaining\":5}}");
	}

	private Response get(String... headers) throws IOException {
		return protocol.get(port, "/api/prompt", headers);
	}

}
