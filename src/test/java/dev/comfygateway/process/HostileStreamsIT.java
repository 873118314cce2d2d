package dev.comfygateway.process;

import dev.comfygateway.simulator.Hold;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.support.GatewayErrors;
import dev.comfygateway.support.GatewayProcess;
import dev.comfygateway.support.Http2Connection;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RawConnection.Response;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.eclipse.jetty.http2.ErrorCode;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests of a gateway with the container's heap and HTTP/2 callers that exhaust its
 * resources. All other callers must be answered immediately.
 */
@Isolated("measures times")
class HostileStreamsIT {

	private static final String KEY = "key-that-nobody-takes";

	/** Maximum response time of other requests during the attack. */
	private static final int MAX_RESPONSE_MILLIS = 1_000;

	private static final int TIMEOUT_SECONDS = 60;

	private static final int STREAMS = 100;

	private static final String NO_CACHE = "Cache-Control: no-cache";

	/** The last bytes sent on a closed connection can be lost. */
	private static final int LOST = -1;

	private static final int CALM = ErrorCode.ENHANCE_YOUR_CALM_ERROR.code;

	private static SimulatedComfyCloud upstream;

	private static GatewayProcess gateway;

	private final List<Http2Connection> callers = new ArrayList<>();

	@BeforeAll
	static void start() throws IOException {
		upstream = SimulatedComfyCloud.start(0, KEY);
		upstream.queueRemaining(3);
		gateway = GatewayProcess.startInSmallHeap(Map.of(), "--comfy.api-key=" + KEY,
				"--comfy.base-url=" + upstream.baseUrl(), "--comfy.deadline=30s", "--server.http2.enabled=true",
				// Closes slow connections soon
				"--server.jetty.connection-idle-timeout=2s");
		gateway.awaitStart();
		assertOthersAreAnsweredImmediately();
	}

	@AfterEach
	void leave() throws IOException {
		for (Http2Connection caller : callers) {
			caller.close();
		}
		assertOthersAreAnsweredImmediately();
		assertThat(gateway.isAlive()).isTrue();
		assertThat(gateway.output()).doesNotContain("OutOfMemory", "Exception", " ERROR ");
	}

	@AfterAll
	static void end() {
		gateway.close();
		upstream.close();
	}

	@Test
	void connectionWhenItResetsItsStreamsIsClosed() throws Exception {
		Hold hold = upstream.hold();
		try {
			for (int i = 0; i < 20; i++) {
				Http2Connection caller = connect();
				sendWhileOpen(caller, 2_000, () -> {
					int stream = caller.request(get("/api/prompt", NO_CACHE));
					caller.reset(stream);
				});
				assertThat(caller.awaitEnd()).isIn(CALM, LOST);
			}
			assertOthersAreAnsweredImmediately();
		}
		finally {
			hold.release();
		}
		awaitNoWaitingCallers();
	}

	@ParameterizedTest
	@CsvSource({ "PING, 8", "SETTINGS, 0", "CONTINUATION, 0", "CONTINUATION, 1000", "DATA, 0", "WINDOW_UPDATE, 4" })
	void connectionWhenItFloodsWithFramesIsClosed(String type, int length) throws Exception {
		byte[] payload = new byte[length];
		if (type.equals("WINDOW_UPDATE")) {
			payload[length - 1] = 1;
		}
		for (int i = 0; i < 20; i++) {
			Http2Connection caller = connect();
			int stream = caller.nextStream();
			switch (type) {
				case "CONTINUATION" -> caller.send(Http2Connection.HEADERS, 0, stream, head(get("/")));
				case "DATA" -> caller.send(Http2Connection.HEADERS, Http2Connection.END_HEADERS, stream,
						head(get("/api/prompt/events")));
				default -> {
				}
			}
			sendWhileOpen(caller, 5_000, () -> {
				switch (type) {
					case "PING" -> caller.send(Http2Connection.PING, 0, 0, payload);
					case "WINDOW_UPDATE" -> caller.send(Http2Connection.WINDOW_UPDATE, 0, 0, payload);
					case "SETTINGS" -> caller.send(Http2Connection.SETTINGS, 0, 0, payload);
					case "CONTINUATION" -> caller.send(Http2Connection.CONTINUATION, 0, stream, payload);
					default -> caller.send(Http2Connection.DATA, 0, stream, payload);
				}
			});
		}
		for (Http2Connection caller : callers) {
			assertThat(caller.awaitEnd()).isIn(CALM, ErrorCode.PROTOCOL_ERROR.code, LOST);
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "/api/prompt", "/livez", "/v3/api-docs", "/nope", "/api/prompt/events" })
	void streamsWhenNeverReadAreReset(String path) throws Exception {
		List<Integer> streams = new ArrayList<>();
		for (int i = 0; i < 10; i++) {
			Http2Connection caller = connect(0);
			for (int j = 0; j < STREAMS; j++) {
				streams.add(caller.request(get(path)));
			}
		}
		assertOthersAreAnsweredImmediately();
		// Answered after all others
		assertThat(Http2Connection.get(gateway.port(), "/api/prompt").status()).isEqualTo(200);
		for (Http2Connection caller : callers) {
			assertThat(caller.awaitReset(streams.getFirst())).isEqualTo(ErrorCode.CANCEL_STREAM_ERROR.code);
			assertThat(caller.awaitReset(streams.getLast())).isEqualTo(ErrorCode.CANCEL_STREAM_ERROR.code);
		}
	}

	@Test
	void stalledStreamDoesNotAffectOthers() throws Exception {
		// Grants each stream less than the size of the document, and reads all frames
		Http2Connection caller = connect(1_000);
		int stalled = caller.requestWithoutReading(get("/v3/api-docs"));
		for (int i = 0; i < STREAMS; i++) {
			assertThat(caller.read(caller.request(get("/api/prompt"))).status()).isEqualTo(200);
		}
		assertThat(caller.awaitReset(stalled)).isEqualTo(ErrorCode.CANCEL_STREAM_ERROR.code);
		assertThat(caller.read(caller.request(get("/livez"))).status()).isEqualTo(200);
	}

	@ParameterizedTest
	@CsvSource({ "1, 9000", "1, 60000", "101, 1", "300, 100" })
	void headAboveTheLimitIsRejectedAndOthersAreServed(int fields, int length) throws Exception {
		Http2Connection caller = connect();
		int other = caller.request(get("/api/prompt/events"));
		caller.awaitText(other, "queue_remaining");
		String[] lines = Collections.nCopies(fields, "X: " + "x".repeat(length)).toArray(String[]::new);
		Response rejected = caller.read(caller.request(get("/api/prompt", lines)));
		assertThat(rejected.status()).isEqualTo(431);
		GatewayErrors.assertError(rejected, "REQUEST_HEADER_FIELDS_TOO_LARGE");
		assertThat(caller.read(caller.request(get("/livez"))).status()).isEqualTo(200);
		assertThat(caller.isOpen(other)).isTrue();
	}

	@ParameterizedTest
	@ValueSource(booleans = { false, true })
	void headWhenItArrivesByteByByteTimesOut(boolean afterAnother) throws Exception {
		Http2Connection caller = connect();
		if (afterAnother) {
			assertThat(caller.read(caller.request(get("/livez"))).status()).isEqualTo(200);
		}
		byte[] frame = Http2Connection.frame(Http2Connection.HEADERS, Http2Connection.END_HEADERS, caller.nextStream(),
				head(get("/", "X: " + "x".repeat(5_000))));
		int[] sent = { 0 };
		Awaitility.await()
			.atMost(TIMEOUT_SECONDS, TimeUnit.SECONDS)
			.pollInterval(200, TimeUnit.MILLISECONDS)
			.until(() -> !isTaken(caller, frame[sent[0]++]));
	}

	@Test
	void connectionWithOnlyPingsIsKept() throws Exception {
		Http2Connection caller = connect();
		Http2Connection trickling = connect();
		byte[] frame = Http2Connection.frame(Http2Connection.HEADERS, Http2Connection.END_HEADERS, 1,
				head(get("/", "X: " + "x".repeat(5_000))));
		int[] sent = { 0 };
		// As long as the timeout of another connection
		Awaitility.await()
			.atMost(TIMEOUT_SECONDS, TimeUnit.SECONDS)
			.pollInterval(200, TimeUnit.MILLISECONDS)
			.until(() -> {
				caller.send(Http2Connection.PING, 0, 0, new byte[8]);
				return !isTaken(trickling, frame[sent[0]++]);
			});
		assertThat(caller.read(caller.request(get("/livez"))).status()).isEqualTo(200);
	}

	@Test
	void thousandsOfListenersOverFewConnectionsAreServedOrRejected() throws Exception {
		List<Integer> streams = new ArrayList<>();
		for (int i = 0; i < 50; i++) {
			Http2Connection caller = connect();
			for (int j = 0; j < STREAMS; j++) {
				streams.add(caller.request(get("/api/prompt/events", "X: " + "x".repeat(500))));
			}
		}
		assertOthersAreAnsweredImmediately();
		for (int i = 0; i < streams.size(); i++) {
			int status = callers.get(i / STREAMS).awaitStatus(streams.get(i));
			assertThat(status).isIn(200, 503);
		}
		assertOthersAreAnsweredImmediately();
	}

	/** Sends a byte, unless the server has closed the connection. */
	private static boolean isTaken(Http2Connection caller, byte next) {
		try {
			caller.write(new byte[] { next });
			return !caller.isGoneAway();
		}
		catch (IOException closed) {
			return false;
		}
	}

	/** Sends repeatedly, until done or until the server closes the connection. */
	private static void sendWhileOpen(Http2Connection caller, int times, Sending sending) {
		try {
			for (int i = 0; i < times && !caller.isGoneAway(); i++) {
				sending.send();
			}
		}
		catch (IOException closed) {
			// Closed by the server
		}
	}

	private static void awaitNoWaitingCallers() {
		Awaitility.await()
			.atMost(TIMEOUT_SECONDS, TimeUnit.SECONDS)
			.until(() -> RawConnection.get(gateway.managementPort(), "/actuator/prometheus")
				.body()
				.contains("comfy_gateway_callers_waiting 0.0\n"));
	}

	private static void assertOthersAreAnsweredImmediately() throws IOException {
		for (int i = 0; i < 3; i++) {
			assertAnsweredImmediately(gateway.managementPort(), "/actuator/health/liveness", 200);
			assertAnsweredImmediately(gateway.port(), "/livez", 200);
			assertAnsweredImmediately(gateway.port(), "/nope", 404);
			try (Http2Connection connection = new Http2Connection(gateway.port(), MAX_RESPONSE_MILLIS, 65_535)) {
				assertThat(connection.read(connection.request(get("/livez"))).status()).isEqualTo(200);
			}
		}
	}

	private static void assertAnsweredImmediately(int port, String path, int status) throws IOException {
		try (RawConnection connection = new RawConnection(port, MAX_RESPONSE_MILLIS)) {
			assertThat(connection.send(get(path)).read().status()).as(path).isEqualTo(status);
		}
	}

	private Http2Connection connect() throws IOException {
		return connect(65_535);
	}

	private Http2Connection connect(int window) throws IOException {
		Http2Connection caller = new Http2Connection(gateway.port(), TIMEOUT_SECONDS * 1_000, window);
		callers.add(caller);
		return caller;
	}

	private static byte[] head(String request) {
		return Http2Connection.head(request.strip());
	}

	private static String get(String path, String... headers) {
		return RawConnection.request("GET", path, headers);
	}

	/** Action that sends bytes. */
	private interface Sending {

		void send() throws IOException;

	}

}
