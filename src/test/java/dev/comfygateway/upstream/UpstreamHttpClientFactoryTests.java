package dev.comfygateway.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.comfygateway.simulator.Behaviour;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.upstream.UpstreamFailure.Reason;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Stream;
import org.eclipse.jetty.client.Connection;
import org.eclipse.jetty.client.DuplexConnectionPool;
import org.eclipse.jetty.client.HttpClient;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.http.client.HttpClientSettings;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import reactor.core.scheduler.Schedulers;

/** Tests of the client's lifecycle and of outbound proxies. */
class UpstreamHttpClientFactoryTests {

	private SimulatedComfyCloud upstream;

	@BeforeEach
	void start() {
		upstream = SimulatedComfyCloud.start(0, ClientFixture.KEY);
	}

	@AfterEach
	void stop() {
		upstream.close();
	}

	@Test
	void contextWhenClosedLeavesNoThreadAndNoConnection() throws Exception {
		List<Thread> before = threads();
		ComfyProperties properties = new ComfyProperties(ClientFixture.KEY, null, "http://localhost:" + upstream.port(),
				ComfyProperties.Auth.API_KEY, false, Duration.ofSeconds(1), Duration.ofSeconds(2));
		try (AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext()) {
			// Named as by Spring Boot, so that it replaces the bean of the settings
			context.registerBean("comfy-" + ComfyProperties.class.getName(), ComfyProperties.class, () -> properties);
			context.registerBean(HttpClientSettings.class, HttpClientSettings::defaults);
			context.register(UpstreamConfiguration.class);
			context.refresh();
			assertThat(context.getBean(HttpClient.class).GET(upstream.baseUrl()).getStatus()).isEqualTo(404);
			assertThat(threads()).hasSizeGreaterThan(before.size()).allMatch(Thread::isDaemon);
			assertThat(upstream.openConnections()).isOne();
		}
		await().atMost(Duration.ofSeconds(1)).untilAsserted(() -> {
			assertThat(threads()).isSubsetOf(before);
			assertThat(upstream.openConnections()).isZero();
		});
	}

	@Test
	void warmUpLeavesNoConnection() {
		upstream.behave(Behaviour.answer(200, "{\"status\":\"UP\"}"));
		try (ClientFixture fixture = ClientFixture.of("http://localhost")) {
			assertThat(fixture.client.warmUp(URI.create(upstream.baseUrl() + "/livez")))
				.succeedsWithin(Duration.ofSeconds(20))
				.isInstanceOf(UpstreamAnswer.class);
			assertThat(upstream.received()).singleElement()
				.satisfies(request -> assertThat(request.header("X-API-Key")).isEmpty());
			await().atMost(Duration.ofSeconds(1)).until(() -> upstream.openConnections() == 0);
			assertThat(fixture.attempts()).isEmpty();
		}
	}

	/** The next request must not use a connection that is about to be closed. */
	@ParameterizedTest(name = "{0}")
	@MethodSource
	void futureWhenConnectionIsStillBeingClosedIsNotDone(String name, Behaviour behaviour,
			Function<ClientFixture, CompletableFuture<UpstreamOutcome>> start) throws InterruptedException {
		upstream.behave(behaviour);
		CountDownLatch closing = new CountDownLatch(1);
		CountDownLatch mayClose = new CountDownLatch(1);
		try (ClientFixture fixture = ClientFixture.of(upstream.baseUrl())) {
			fixture.httpClient.getHttpClientTransport()
				.setConnectionPoolFactory(destination -> new DuplexConnectionPool(destination, 1) {
					@Override
					public boolean remove(Connection connection) {
						closing.countDown();
						await().until(() -> mayClose.getCount() == 0);
						return super.remove(connection);
					}
				});
			CompletableFuture<UpstreamOutcome> started = start.apply(fixture);
			assertThat(closing.await(20, TimeUnit.SECONDS)).isTrue();
			assertThat(started).isNotDone();
			mayClose.countDown();
			assertThat(started).succeedsWithin(Duration.ofSeconds(20));
		}
		finally {
			mayClose.countDown();
		}
	}

	static Stream<Arguments> futureWhenConnectionIsStillBeingClosedIsNotDone() {
		Function<ClientFixture, CompletableFuture<UpstreamOutcome>> warmUp = fixture -> fixture.client
			.warmUp(URI.create("http://%s/livez".formatted(fixture.client.host())));
		Function<ClientFixture, CompletableFuture<UpstreamOutcome>> fetch = ClientFixture::start;
		Behaviour up = Behaviour.answer(200, "{\"status\":\"UP\"}");
		return Stream.of(Arguments.of("warm-up", up, warmUp),
				Arguments.of("warm-up that fails", Behaviour.answer(404, "{}"), warmUp),
				Arguments.of("fetch that is refused", Behaviour.REFUSE, fetch),
				Arguments.of("fetch of an invalid response", Behaviour.RUBBISH, fetch));
	}

	@Test
	void fetchWhenJvmHasAProxyUsesIt() {
		upstream.behave(Behaviour.answer(200, "{\"exec_info\": {\"queue_remaining\": 3}}"));
		throughProxy("http", () -> {
			try (ClientFixture fixture = ClientFixture.withShortDeadline("http://upstream.invalid")) {
				assertThat(fixture.fetch()).isInstanceOf(UpstreamAnswer.class);
			}
		});
		assertThat(upstream.received()).singleElement().satisfies(request -> {
			assertThat(request.target()).isEqualTo("http://upstream.invalid/api/prompt");
			assertThat(request.headerLines()).containsExactlyInAnyOrder("Host: upstream.invalid",
					"X-API-Key: " + ClientFixture.KEY, "Accept: application/json", "User-Agent: comfy-gateway/1.2.3");
		});
	}

	@ParameterizedTest
	@ValueSource(ints = { 204, 302, 400, 401, 403, 404, 407, 429, 500, 502, 503, 504 })
	void fetchWhenProxyRefusesTheTunnelHasItsStatusAndSendsNoKey(int status) {
		upstream.behave(Behaviour.answer(status, Map.of("Content-Type", "text/html", "Proxy-Authenticate", "Basic"),
				"<title>No</title>".getBytes(StandardCharsets.US_ASCII)));
		throughProxy("https", () -> {
			try (ClientFixture fixture = ClientFixture.of("https://upstream.invalid")) {
				assertThat(fixture.failure())
					.isEqualTo(new UpstreamFailure(Reason.TUNNEL_REFUSED, status, null, null, null, 1));
				assertThat(fixture.attempts()).isEqualTo(Map.of("unreachable", 1L));
				await().atMost(Duration.ofSeconds(1)).until(() -> OpenSockets.to(upstream.port()) == 0);
			}
		});
		assertThat(upstream.received()).singleElement().satisfies(request -> {
			assertThat(request.method()).isEqualTo("CONNECT");
			assertThat(request.target()).isEqualTo("upstream.invalid:443");
			assertThat(request.headerLines()).containsExactly("Host: upstream.invalid:443");
		});
	}

	@ParameterizedTest
	@MethodSource
	void fetchWhenProxyFailsBeforeTheTunnelHasTheReason(Behaviour behaviour, Reason reason) {
		upstream.behave(behaviour);
		ComfyProperties properties = new ComfyProperties(ClientFixture.KEY, null, "https://upstream.invalid",
				ComfyProperties.Auth.API_KEY, false, Duration.ofMillis(300), ClientFixture.DEADLINE);
		throughProxy("https", () -> {
			try (ClientFixture fixture = ClientFixture.of(properties, Schedulers.parallel())) {
				assertThat(fixture.failure()).isEqualTo(UpstreamFailure.of(reason, 1));
				await().atMost(Duration.ofSeconds(1)).until(() -> OpenSockets.to(upstream.port()) == 0);
			}
		});
	}

	static Stream<Arguments> fetchWhenProxyFailsBeforeTheTunnelHasTheReason() {
		return Stream.of(Arguments.of(Behaviour.CLOSE, Reason.CONNECTION_TERMINATED),
				Arguments.of(Behaviour.RESET, Reason.CONNECTION_TERMINATED),
				Arguments.of(raw("HTTP/1.1 403 No\r\nContent-"), Reason.PROTOCOL_ERROR),
				Arguments.of(raw("HTTP/1.1 200 OK\r\n\r\n"), Reason.CONNECTION_TERMINATED),
				Arguments.of(raw("SSH-2.0-OpenSSH_9.2p1\r\n"), Reason.PROTOCOL_ERROR),
				Arguments.of(raw("HTTP/1.1 abc No\r\n\r\n"), Reason.PROTOCOL_ERROR),
				Arguments.of(Behaviour.STALL, Reason.CONNECTION_TIMEOUT));
	}

	private static Behaviour raw(String text) {
		return Behaviour.raw(text.getBytes(StandardCharsets.US_ASCII));
	}

	@ParameterizedTest
	@CsvSource({ "127.0.0.1, CONNECTION_REFUSED", "nonexistent.invalid, DNS_ERROR" })
	void fetchWhenProxyIsUnreachableHasTheReason(String proxy, Reason reason) {
		upstream.close();
		throughProxy("https", proxy, () -> {
			try (ClientFixture fixture = ClientFixture.of("https://upstream.invalid")) {
				assertThat(fixture.failure()).isEqualTo(UpstreamFailure.of(reason, 1));
				assertThat(fixture.client.proxy()).hasValue(proxy + ":" + upstream.port());
			}
		});
	}

	/** Names for which {@link URI#getHost()} returns null, and {@code localhost}. */
	@ParameterizedTest
	@CsvSource({ "comfy_ui, comfy_ui", "COMFY_UI, comfy_ui", "_comfy, _comfy", "comfy.2, comfy.2", "comfy-, comfy-",
			"k\u00f6mfy, xn--kmfy-5qa", "localhost, localhost" })
	void fetchWhenHostIsNotParsedByUriConnects(String host, String expected) {
		try (ClientFixture fixture = ClientFixture
			.withoutAuthentication("http://%s:%s/below".formatted(host, upstream.port()))) {
			upstream.behave(Behaviour.answer(200, "{}"));
			assertThat(fixture.fetch()).isInstanceOf(UpstreamAnswer.class);
			assertThat(fixture.fetch()).isInstanceOf(UpstreamAnswer.class);
			assertThat(fixture.client.host()).isEqualTo(expected + ":" + upstream.port());
		}
		assertThat(upstream.connections()).isOne();
		assertThat(upstream.received()).hasSize(2).allSatisfy(request -> {
			assertThat(request.target()).isEqualTo("/below/api/prompt");
			assertThat(request.header("Host")).containsExactly(expected + ":" + upstream.port());
		});
	}

	@ParameterizedTest
	@ValueSource(strings = { "comfy_ui", "comfy_ui:8188", "[fd00::1]", "[fd00::1]:8188", "upstream.invalid:8188" })
	void fetchWhenHostIsNotParsedByUriConnectsThroughTheProxy(String authority) {
		upstream.behave(Behaviour.answer(200, "{}"));
		throughProxy("http", "squid_proxy", () -> {
			try (ClientFixture fixture = ClientFixture.withoutAuthentication("http://" + authority)) {
				assertThat(fixture.fetch()).isInstanceOf(UpstreamAnswer.class);
			}
		});
		assertThat(upstream.received()).singleElement().satisfies(request -> {
			assertThat(request.target()).isEqualTo("http://" + authority + "/api/prompt");
			assertThat(request.header("Host")).containsExactly(authority);
		});
	}

	@ParameterizedTest
	@ValueSource(strings = { "comfy_ui", "[fd00::1]", "upstream.invalid" })
	void fetchWhenHostIsNotParsedByUriTunnelsThroughTheProxy(String host) {
		upstream.behave(Behaviour.answer(403, "{}"));
		throughProxy("https", "squid_proxy", () -> {
			try (ClientFixture fixture = ClientFixture.of("https://" + host)) {
				assertThat(fixture.failure().proxyStatus()).hasValue(403);
			}
		});
		assertThat(upstream.received()).singleElement()
			.satisfies(request -> assertThat(request.target()).isEqualTo(host + ":443"));
	}

	@Test
	void fetchWhenHostIsExemptFromTheProxyConnectsDirectly() {
		throughProxy("http", () -> {
			try (SimulatedComfyCloud direct = SimulatedComfyCloud.start(0, ClientFixture.KEY);
					ClientFixture fixture = ClientFixture.of(direct.baseUrl())) {
				assertThat(fixture.fetch()).isInstanceOf(UpstreamAnswer.class);
				assertThat(fixture.client.proxy()).isEmpty();
			}
		});
		assertThat(upstream.connections()).isZero();
	}

	private void throughProxy(String scheme, Runnable action) {
		throughProxy(scheme, "127.0.0.1", action);
	}

	private void throughProxy(String scheme, String host, Runnable action) {
		System.setProperty(scheme + ".proxyHost", host);
		System.setProperty(scheme + ".proxyPort", Integer.toString(upstream.port()));
		try {
			action.run();
		}
		finally {
			System.clearProperty(scheme + ".proxyHost");
			System.clearProperty(scheme + ".proxyPort");
		}
	}

	private static List<Thread> threads() {
		return Thread.getAllStackTraces()
			.keySet()
			.stream()
			.filter(thread -> thread.getName().startsWith("upstream"))
			.toList();
	}

}
