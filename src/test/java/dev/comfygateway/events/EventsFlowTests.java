package dev.comfygateway.events;

import dev.comfygateway.simulator.Behaviour;
import dev.comfygateway.support.FakeTime;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RawConnection.Response;
import dev.comfygateway.support.RunningGateway;
import dev.comfygateway.support.SecretVolume;
import dev.comfygateway.support.TestGateway;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/** Tests of the event stream, {@code GET /api/prompt/events}. */
class EventsFlowTests {

	private static final String EVENTS = "/api/prompt/events";

	private static TestGateway gateway;

	private Instant began = FakeTime.START;

	private int receivedBefore;

	@BeforeAll
	static void start() {
		gateway = TestGateway.start("gateway.events.max-listeners=3", "gateway.allowed-origins=https://a.example",
				"gateway.cooldown=1s");
	}

	@AfterAll
	static void stop() {
		gateway.close();
	}

	/**
	 * Resets the upstream, and removes the answer and the listeners of the previous test.
	 */
	@BeforeEach
	void begin() throws IOException {
		gateway.upstream().behave(Behaviour.NORMAL);
		gateway.upstream().queueRemaining(3);
		awaitNoListeners();
		gateway.time().advance(Duration.ofDays(1));
		requestPrompt();
		gateway.time().advance(Duration.ofDays(1));
		began = gateway.time().instant();
		receivedBefore = gateway.upstream().received().size();
	}

	@Test
	void streamBeginsWithTheCachedAnswer() throws Exception {
		requestPrompt();
		try (EventReader reader = listen("")) {
			assertThat(reader.status()).isEqualTo("HTTP/1.1 200 OK");
			assertThat(reader.head()).contains("Content-Type: text/event-stream", "Cache-Control: no-store",
					"X-Accel-Buffering: no");
			assertThat(Integer.parseInt(reader.next().get("retry"))).isBetween(2000, 4000);
			assertThat(reader.next()).isEqualTo(prompt(3, began.toEpochMilli()));
		}
	}

	@Test
	void changedAnswerIsSentAndEqualAnswerIsNot() throws Exception {
		try (EventReader reader = listen("")) {
			reader.next();
			assertThat(reader.next()).containsEntry("data", body(3));
			refresh();
			gateway.upstream().queueRemaining(4);
			refresh();
			assertThat(reader.next()).isEqualTo(prompt(4, began.plusSeconds(4).toEpochMilli()));
		}
	}

	@Test
	void upstreamIsRequestedOncePerWindowOnlyWithListeners() throws Exception {
		try (EventReader one = listen(""); EventReader other = listen("")) {
			one.next();
			one.next();
			other.next();
			other.next();
			assertThat(received()).isOne();
			refresh();
			assertThat(received()).isEqualTo(2);
		}
		awaitNoListeners();
		requestPrompt();
		int before = received();
		gateway.time().advance(Duration.ofSeconds(10));
		assertThat(received()).isEqualTo(before);
	}

	@Test
	void outageSendsStaleThenUnknownThenPrompt() throws Exception {
		try (EventReader reader = listen("")) {
			reader.next();
			reader.next();
			gateway.upstream().behave(Behaviour.UNAVAILABLE);
			gateway.time().advance(Duration.ofSeconds(2));
			assertThat(reader.next()).containsEntry("event", "stale")
				.hasEntrySatisfying("data", data -> assertThat(data).startsWith("{\"code\":\"SERVICE_UNAVAILABLE\""))
				.doesNotContainKey("id");
			gateway.advance(Duration.ofSeconds(31));
			assertThat(reader.next()).containsEntry("event", "unknown");
			gateway.upstream().behave(Behaviour.NORMAL);
			gateway.advance(Duration.ofSeconds(40));
			assertThat(reader.next()).containsEntry("event", "prompt");
		}
	}

	@Test
	void rejectedKeySendsUnknownImmediately() throws Exception {
		try (EventReader reader = listen("")) {
			reader.next();
			reader.next();
			gateway.upstream().behave(Behaviour.REFUSE);
			gateway.time().advance(Duration.ofSeconds(2));
			assertThat(reader.next()).containsEntry("event", "unknown");
		}
	}

	@Test
	void untilEndsWithANumberObservedAfterTheRequest() throws Exception {
		gateway.upstream().queueRemaining(0);
		requestPrompt();
		gateway.time().advance(Duration.ofMillis(1));
		try (EventReader reader = listen("?until=0")) {
			reader.next();
			// Observed before the request, so it does not end the stream
			assertThat(reader.next()).isEqualTo(prompt(0, began.toEpochMilli()));
			// Not beyond the refresh, whose answer may arrive before the time has
			// advanced
			gateway.time().advance(Duration.ofMillis(1999));
			Map<String, String> done = reader.next();
			assertThat(done).containsEntry("event", "done").containsEntry("data", body(0));
			assertThat(reader.isEnd(reader.next())).isTrue();
			String id = done.get("id");
			assertThat(id).startsWith(began.plusMillis(2000).toEpochMilli() + "-");
			assertThat(RawConnection.get(gateway.port(), EVENTS + "?until=0", "Last-Event-ID: " + id).status())
				.isEqualTo(204);
			try (TestGateway another = TestGateway.start()) {
				assertThat(RawConnection.get(another.port(), EVENTS + "?until=0", "Last-Event-ID: " + id).status())
					.isEqualTo(204);
				assertThat(RawConnection.get(another.port(), EVENTS + "?lastEventId=" + id + "&until=0").status())
					.isEqualTo(204);
			}
		}
	}

	@Test
	void untilWhenTheNumberIsAboveContinues() throws Exception {
		try (EventReader reader = listen("?until=2")) {
			reader.next();
			Map<String, String> first = reader.next();
			assertThat(first).containsEntry("event", "prompt");
			try (EventReader again = listen("?until=2", "Last-Event-ID: " + first.get("id"))) {
				assertThat(again.status()).isEqualTo("HTTP/1.1 200 OK");
			}
			gateway.upstream().behave(Behaviour.UNAVAILABLE);
			gateway.time().advance(Duration.ofSeconds(2));
			assertThat(reader.next()).containsEntry("event", "stale");
			gateway.upstream().behave(Behaviour.NORMAL);
			gateway.upstream().queueRemaining(2);
			gateway.time().advance(Duration.ofSeconds(3));
			assertThat(reader.next()).containsEntry("event", "done").containsEntry("data", body(2));
			assertThat(reader.isEnd(reader.next())).isTrue();
		}
	}

	@Test
	void listenersAboveTheLimitAreRejected() throws Exception {
		double rejectedBefore = metric("comfy_gateway_listeners_refused_total");
		try (EventReader one = listen(""); EventReader two = listen(""); EventReader three = listen("")) {
			for (EventReader reader : new EventReader[] { one, two, three }) {
				reader.next();
			}
			Response rejected = RawConnection.get(gateway.port(), EVENTS);
			assertThat(rejected.status()).isEqualTo(503);
			assertThat(rejected.header("Retry-After")).isPresent();
			assertThat(rejected.header("Content-Type")).hasValue("application/json");
			assertThat(rejected.body()).startsWith("{\"code\":\"TOO_MANY_LISTENERS\"");
			assertThat(metric("comfy_gateway_listeners_refused_total")).isEqualTo(rejectedBefore + 1);
			assertThat(metric("comfy_gateway_listeners")).isEqualTo(3);
		}
		awaitNoListeners();
		try (EventReader again = listen("")) {
			assertThat(again.status()).isEqualTo("HTTP/1.1 200 OK");
		}
	}

	@Test
	void listenerWhenItDoesNotReadIsDroppedWithoutAffectingOthers() throws Exception {
		double droppedBefore = metric("comfy_gateway_listeners_dropped_total");
		try (Socket silent = new Socket(); EventReader reader = listen("")) {
			silent.setReceiveBufferSize(1);
			silent.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), gateway.port()));
			silent.getOutputStream().write(RawConnection.request("GET", EVENTS).getBytes(StandardCharsets.ISO_8859_1));
			reader.next();
			reader.next();
			await().until(() -> metric("comfy_gateway_listeners") == 2);
			int events = 0;
			while (metric("comfy_gateway_listeners_dropped_total") == droppedBefore) {
				assertThat(events++).as("events in socket buffers").isLessThan(500);
				gateway.upstream().queueRemaining(1000 + events);
				gateway.time().advance(Duration.ofSeconds(2));
				gateway.refresh().startIfDue(false);
				assertThat(reader.next()).containsEntry("data", body(1000 + events));
			}
			assertThat(metric("comfy_gateway_listeners")).isOne();
			assertThat(metric("comfy_gateway_listeners_dropped_total")).isEqualTo(droppedBefore + 1);
		}
	}

	@Test
	void eventIsCompleteInASingleChunk() throws Exception {
		requestPrompt();
		try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), gateway.port())) {
			socket.setSoTimeout(10_000);
			socket.getOutputStream().write(RawConnection.request("GET", EVENTS).getBytes(StandardCharsets.ISO_8859_1));
			StringBuilder received = new StringBuilder();
			while (!received.toString().contains(body(3) + "\n\n\r\n")) {
				int read = socket.getInputStream().read();
				assertThat(read).isNotNegative();
				received.append((char) read);
			}
		}
	}

	@Test
	void commentIsSentEvery5Seconds() throws Exception {
		try (EventReader reader = listen("")) {
			reader.next();
			reader.next();
			gateway.upstream().queueRemaining(4);
			gateway.time().advance(Duration.ofMillis(4900));
			assertThat(reader.next()).containsEntry("data", body(4));
			assertThat(reader.comments()).isZero();
			gateway.time().advance(Duration.ofMillis(1200));
			await().until(() -> reader.comments() == 1);
			gateway.advance(Duration.ofSeconds(10));
			await().until(() -> reader.comments() == 3);
		}
	}

	@Test
	void newListenerWhenTheNumberHasNotChangedGetsIt() throws Exception {
		try (EventReader reader = listen("")) {
			reader.next();
			assertThat(reader.next()).containsEntry("data", body(3));
		}
		awaitNoListeners();
		gateway.upstream().queueRemaining(3);
		gateway.time().advance(Duration.ofSeconds(70));
		try (EventReader reader = listen("")) {
			reader.next();
			assertThat(reader.next()).containsEntry("event", "prompt").containsEntry("data", body(3));
		}
		try (EventReader reader = listen("")) {
			reader.next();
			assertThat(reader.next()).containsEntry("event", "prompt").containsEntry("data", body(3));
		}
	}

	@Test
	void newListenerDuringAndAfterAFailureGetsTheCurrentState() throws Exception {
		gateway.upstream().behave(Behaviour.UNAVAILABLE);
		for (int i = 0; i < 2; i++) {
			try (EventReader reader = listen("")) {
				reader.next();
				assertThat(reader.next()).containsEntry("event", "unknown");
			}
		}
		awaitNoListeners();
		gateway.upstream().queueRemaining(3);
		gateway.upstream().behave(Behaviour.NORMAL);
		gateway.time().advance(Duration.ofSeconds(40));
		requestPrompt();
		try (EventReader reader = listen("")) {
			reader.next();
			assertThat(reader.next()).containsEntry("data", body(3));
		}
	}

	@Test
	void newListenerWhenTheUpstreamHangsGetsAnEvent() throws Exception {
		try (TestGateway hanging = TestGateway.start()) {
			hanging.upstream().behave(Behaviour.STALL);
			try (EventReader reader = EventReader.connect(hanging.port(), "?until=0")) {
				reader.next();
				await().until(() -> hanging.upstream().received().size() == 1);
				hanging.advance(Duration.ofSeconds(60).plusMillis(100));
				assertThat(reader.next()).containsEntry("event", "unknown")
					.hasEntrySatisfying("data", data -> assertThat(data).startsWith("{\"code\":\"UPSTREAM_TIMEOUT\""));
			}
		}
	}

	@Test
	void newListenerAfterAKeyChangeGetsTheNumberOfTheNewAccount(@TempDir Path volume) throws Exception {
		SecretVolume secret = new SecretVolume(volume);
		secret.write(RunningGateway.KEY);
		try (TestGateway rotated = TestGateway.start("comfy.api-key=", "comfy.api-key-file=" + secret.entry())) {
			rotated.upstream().queueRemaining(3);
			try (EventReader present = EventReader.connect(rotated.port(), "")) {
				present.next();
				assertThat(present.next()).containsEntry("data", body(3));
				secret.write("another-key");
				rotated.upstream().acceptKey("another-key");
				rotated.time().advance(Duration.ofSeconds(2));
				await().until(() -> rotated.cache().status().observed().isEmpty()
						|| rotated.upstream().received().size() > 1);
				try (EventReader newcomer = EventReader.connect(rotated.port(), "")) {
					newcomer.next();
					assertThat(newcomer.next()).containsEntry("event", "prompt").containsEntry("data", body(3));
				}
				rotated.upstream().queueRemaining(4);
				rotated.time().advance(Duration.ofSeconds(3));
				assertThat(present.next()).containsEntry("data", body(4));
			}
		}
	}

	@Test
	void listenerWhenDisconnectedIsRemovedWithin10SecondsAndCausesNoRequests() throws Exception {
		try (EventReader one = listen(""); EventReader two = listen(""); EventReader three = listen("")) {
			for (EventReader reader : new EventReader[] { one, two, three }) {
				reader.next();
				reader.next();
			}
		}
		gateway.time().advance(Duration.ofSeconds(5));
		// In real time the kernel reports the disconnect that the first writes caused
		gateway.upstream().awaitReceived(receivedBefore + 2);
		gateway.time().advance(Duration.ofSeconds(5));
		await().until(() -> metric("comfy_gateway_listeners") == 0);
		gateway.time().advance(Duration.ofMinutes(1));
		assertThat(RawConnection.get(gateway.port(), "/api/prompt").header("Cache-Status"))
			.as("no fetch was made or is in progress")
			.hasValue("comfy-gateway; fwd=uri-miss; stored; ttl=2");
		try (EventReader again = listen("")) {
			assertThat(again.status()).isEqualTo("HTTP/1.1 200 OK");
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "gateway.fresh-for=0s,gateway.stale-if-error=0s,gateway.stale-while-revalidate=0s",
			"gateway.stale-if-error=0s,gateway.stale-while-revalidate=0s" })
	void listenersWhenAnswersCannotBeStoredGetThem(String settings) throws Exception {
		try (TestGateway unstored = TestGateway.start(settings.split(","))) {
			unstored.upstream().queueRemaining(3);
			try (EventReader reader = EventReader.connect(unstored.port(), "");
					EventReader until = EventReader.connect(unstored.port(), "?until=3")) {
				reader.next();
				assertThat(reader.next()).containsEntry("event", "prompt").containsEntry("data", body(3));
				until.next();
				Map<String, String> event = until.next();
				if ("prompt".equals(event.get("event"))) {
					unstored.time().advance(Duration.ofSeconds(2));
					event = until.next();
				}
				assertThat(event).containsEntry("event", "done").containsEntry("data", body(3));
			}
		}
	}

	@Test
	void streamsWhenTheGatewayShutsDownEnd() throws Exception {
		TestGateway ending = TestGateway.start();
		try (EventReader reader = EventReader.connect(ending.port(), "")) {
			reader.next();
			reader.next();
			ending.close();
			assertThat(reader.isEnd(reader.next())).isTrue();
		}
	}

	@Test
	void streamsAreCountedButNotAsServerRequests() throws Exception {
		double eventsBefore = metric("comfy_gateway_events_total");
		double droppedBefore = metric("comfy_gateway_listeners_dropped_total");
		try (EventReader reader = listen("")) {
			reader.next();
			reader.next();
		}
		awaitNoListeners();
		assertThat(metric("comfy_gateway_events_total")).isGreaterThan(eventsBefore);
		assertThat(metric("comfy_gateway_listeners_dropped_total")).isEqualTo(droppedBefore);
		assertThat(metrics()).doesNotContain("uri=\"/api/prompt/events\"");
	}

	/** Number of requests that the upstream received in this test. */
	private int received() {
		return gateway.upstream().received().size() - receivedBefore;
	}

	private static EventReader listen(String query, String... headers) throws IOException {
		return EventReader.connect(gateway.port(), query, headers);
	}

	private static void requestPrompt() throws IOException {
		assertThat(RawConnection.get(gateway.port(), "/api/prompt").status()).isEqualTo(200);
	}

	/** Makes the answer stale, and waits for the next one. */
	private void refresh() {
		gateway.time().advance(Duration.ofSeconds(2));
		await().until(() -> RawConnection.get(gateway.port(), "/api/prompt", "Cache-Control: only-if-cached")
			.header("Cache-Status")
			.orElseThrow()
			.contains("ttl=2"));
	}

	private static void awaitNoListeners() {
		gateway.advance(Duration.ofSeconds(10));
		await().until(() -> metric("comfy_gateway_listeners") == 0);
	}

	private static Map<String, String> prompt(long queueRemaining, long id) {
		return Map.of("event", "prompt", "id", Long.toString(id), "data", body(queueRemaining));
	}

	private static String body(long queueRemaining) {
		return "{\"exec_info\":{\"queue_remaining\":%s}}".formatted(queueRemaining);
	}

	private static double metric(String name) throws IOException {
		return metrics().lines()
			.filter(line -> line.startsWith(name + " "))
			.mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
			.findFirst()
			.orElseThrow();
	}

	private static String metrics() throws IOException {
		return RawConnection.get(gateway.managementPort(), "/actuator/prometheus").body();
	}

}
