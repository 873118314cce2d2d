package dev.comfygateway.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.comfygateway.simulator.Behaviour;
import dev.comfygateway.simulator.Hold;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import dev.comfygateway.upstream.UpstreamOutcome.Answered;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.stream.Stream;
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

/** The client's own life, and the proxy on its way. */
class UpstreamConnectionsTests {

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
			context.registerBean(ComfyProperties.class, () -> properties);
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
				.isInstanceOf(Answered.class);
			assertThat(upstream.received()).singleElement()
				.satisfies(request -> assertThat(request.header("X-API-Key")).isEmpty());
			await().atMost(Duration.ofSeconds(1)).until(() -> upstream.openConnections() == 0);
			assertThat(fixture.attempts()).isEmpty();
		}
	}

	@Test
	/** What the next request does must not meet what this one leaves behind. */
	@ParameterizedTest(name = "{0}")
	@MethodSource
	void futureWhenItCompletesHasClosedTheConnection(String name, Behaviour behaviour,
			Function<ClientFixture, CompletableFuture<UpstreamOutcome>> start) {
		upstream.behave(behaviour);
		Hold hold = upstream.hold();
		try (ClientFixture fixture = ClientFixture.of(upstream.baseUrl())) {
			CompletableFuture<Boolean> isClosed = start.apply(fixture)
				.thenApply(outcome -> fixture.connections.getDestinations()
					.stream()
					.allMatch(destination -> destination.getConnectionPool().isEmpty()));
			hold.awaitArrival(1);
			hold.release();
			assertThat(isClosed).succeedsWithin(Duration.ofSeconds(20)).isEqualTo(true);
		}
	}

	static Stream<Arguments> futureWhenItCompletesHasClosedTheConnection() {
		Function<ClientFixture, CompletableFuture<UpstreamOutcome>> warmUp = fixture -> fixture.client
			.warmUp(URI.create("http://%s/livez".formatted(fixture.client.host())));
		Function<ClientFixture, CompletableFuture<UpstreamOutcome>> fetch = ClientFixture::start;
		Behaviour up = Behaviour.answer(200, "{\"status\":\"UP\"}");
		return Stream.of(Arguments.of("warm-up", up, warmUp),
				Arguments.of("warm-up that fails", Behaviour.answer(404, "{}"), warmUp),
				Arguments.of("warm-up that is cut off", Behaviour.CUT, warmUp),
				Arguments.of("fetch that is refused", Behaviour.REFUSE, fetch),
				Arguments.of("fetch that is cut off", Behaviour.CUT, fetch),
				Arguments.of("fetch of something else", Behaviour.RUBBISH, fetch));
	}

	@Test
	void warmUpWhenRepeatedNeverMeetsTheConnectionBefore() {
		upstream.behave(Behaviour.answer(200, "{\"status\":\"UP\"}"));
		try (ClientFixture fixture = ClientFixture.of(upstream.baseUrl())) {
			URI self = URI.create(upstream.baseUrl() + "/livez");
			for (int i = 0; i < 200; i++) {
				assertThat(ClientFixture.outcome(fixture.client.warmUp(self))).isInstanceOf(Answered.class);
			}
		}
		assertThat(upstream.connections()).isEqualTo(200);
	}

	void fetchWhenJvmHasAProxyAsksByIt() {
		upstream.behave(Behaviour.answer(200, "{\"exec_info\": {\"queue_remaining\": 3}}"));
		throughProxy("http", () -> {
			try (ClientFixture fixture = ClientFixture.impatient("http://upstream.invalid")) {
				assertThat(fixture.fetch()).isInstanceOf(Answered.class);
			}
		});
		assertThat(upstream.received()).singleElement().satisfies(request -> {
			assertThat(request.target()).isEqualTo("http://upstream.invalid/api/prompt");
			assertThat(request.headerLines()).containsExactlyInAnyOrder("Host: upstream.invalid",
					"X-API-Key: " + ClientFixture.KEY, "Accept: application/json", "User-Agent: comfy-gateway/1.2.3");
		});
	}

	@Test
	void fetchWhenProxyRefusesTheTunnelFailsWithoutTellingTheKey() {
		upstream
			.behave(Behaviour.rawThenKeep("HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"
				.getBytes(StandardCharsets.US_ASCII)));
		throughProxy("https", () -> {
			try (ClientFixture fixture = ClientFixture.of("https://upstream.invalid")) {
				assertThat(fixture.failure().reason()).isEqualTo(Reason.CONNECTION_REFUSED);
				assertThat(fixture.attempts()).isEqualTo(Map.of("unreachable", 2L));
				await().atMost(Duration.ofSeconds(1)).until(() -> OpenSockets.to(upstream.port()) == 0);
			}
		});
		assertThat(upstream.received()).hasSize(2).allSatisfy(request -> {
			assertThat(request.method()).isEqualTo("CONNECT");
			assertThat(request.target()).isEqualTo("upstream.invalid:443");
			assertThat(request.headerLines()).containsExactly("Host: upstream.invalid:443");
		});
	}

	@Test
	void fetchWhenHostIsExemptFromTheProxyAsksDirectly() {
		throughProxy("http", () -> {
			try (SimulatedComfyCloud direct = SimulatedComfyCloud.start(0, ClientFixture.KEY);
					ClientFixture fixture = ClientFixture.of(direct.baseUrl())) {
				assertThat(fixture.fetch()).isInstanceOf(Answered.class);
			}
		});
		assertThat(upstream.connections()).isZero();
	}

	private void throughProxy(String scheme, Runnable action) {
		System.setProperty(scheme + ".proxyHost", "127.0.0.1");
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
