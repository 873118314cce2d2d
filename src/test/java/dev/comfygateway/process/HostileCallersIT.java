package dev.comfygateway.process;

import dev.comfygateway.simulator.Hold;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.support.GatewayErrors;
import dev.comfygateway.support.GatewayProcess;
import dev.comfygateway.support.PipeliningCallers;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RawConnection.Response;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests of a gateway with the container's heap and callers that exhaust its resources.
 * All other callers must be answered immediately.
 */
@Isolated("measures times")
class HostileCallersIT {

	private static final String KEY = "key-that-nobody-takes";

	/** Maximum response time of other requests during the attack. */
	private static final int MAX_RESPONSE_MILLIS = 1_000;

	private static final int TIMEOUT_SECONDS = 60;

	private static final int LARGE_FILE_MIN_SIZE = 1_000_000;

	private static final Pattern SCRIPT = Pattern.compile("script src=\"\\./([^\"]+bundle\\.js)\"");

	private static SimulatedComfyCloud upstream;

	private static GatewayProcess gateway;

	/** Connections of the management port and of the request for the metrics. */
	private static final int MAX_LEFT = 20;

	@BeforeAll
	static void start() throws IOException {
		upstream = SimulatedComfyCloud.start(0, KEY);
		upstream.queueRemaining(3);
		gateway = GatewayProcess.startInSmallHeap(Map.of(), "--comfy.api-key=" + KEY,
				"--comfy.base-url=" + upstream.baseUrl(), "--comfy.deadline=30s");
		gateway.awaitStart();
		assertOthersAreAnsweredImmediately();
	}

	/** Waits until the gateway has closed the connections of the previous test. */
	@BeforeEach
	void awaitConnectionsClosed() {
		Awaitility.await()
			.atMost(TIMEOUT_SECONDS, TimeUnit.SECONDS)
			.ignoreExceptions()
			.until(() -> RawConnection.get(gateway.managementPort(), "/actuator/prometheus")
				.body()
				.lines()
				.filter(line -> line.startsWith("jetty_connections_current_connections{"))
				.mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
				.sum() < MAX_LEFT);
	}

	@AfterAll
	static void end() {
		gateway.close();
		upstream.close();
	}

	@ParameterizedTest
	@CsvSource({ "/api/prompt, 16", "/api/prompt, 64", "/livez, 16", "/livez, 64", "/nope, 16", "/nope, 64" })
	void otherRequestsWhileCallersPipelineWithoutReadingAreAnsweredImmediately(String path, int callers)
			throws Exception {
		try (PipeliningCallers pipelining = PipeliningCallers.startWithoutReading(gateway.port(), callers, get(path),
				5_000)) {
			assertOthersAreAnsweredImmediately();
			pipelining.awaitStalled();
			assertOthersAreAnsweredImmediately();
			assertNoRequestOccupiesAThread();
		}
		assertOthersAreAnsweredImmediately();
	}

	@ParameterizedTest
	@ValueSource(strings = { "/actuator/health/liveness", "/actuator/nope" })
	void otherRequestsWhileOperatorsPipelineWithoutReadingAreAnsweredImmediately(String path) throws Exception {
		try (PipeliningCallers pipelining = PipeliningCallers.startWithoutReading(gateway.managementPort(), 64,
				get(path), 5_000)) {
			assertOthersAreAnsweredImmediately();
			pipelining.awaitStalled();
			assertOthersAreAnsweredImmediately();
			assertNoRequestOccupiesAThread();
		}
	}

	@Test
	void otherRequestsWhileThousandsPipelineWithoutReadingAreAnsweredImmediately() throws Exception {
		try (PipeliningCallers pipelining = PipeliningCallers.startWithoutReading(gateway.port(), 5_000, get("/livez"),
				500)) {
			pipelining.awaitStalled();
			// This connection is accepted after all others
			assertThat(RawConnection.get(gateway.port(), "/api/prompt").status()).isEqualTo(200);
			// Some of these connections are closed to free heap
			awaitOthersAreAnsweredImmediately();
		}
		awaitOthersAreAnsweredImmediately();
		assertThat(gateway.isAlive()).isTrue();
		assertThat(gateway.output()).doesNotContain("OutOfMemory");
	}

	@ParameterizedTest
	@CsvSource({ "/api/prompt, 1", "/api/prompt, 8", "/livez, 1", "/livez, 8" })
	void otherRequestsWhileCallersPipelineContinuouslyAreAnsweredImmediately(String path, int callers)
			throws Exception {
		try (PipeliningCallers greedy = PipeliningCallers.startReading(gateway.port(), callers, get(path))) {
			greedy.awaitReceived(100_000);
			try (RawConnection other = new RawConnection(gateway.port(), MAX_RESPONSE_MILLIS)) {
				for (int i = 0; i < 200; i++) {
					assertThat(other.send(get("/api/prompt")).read().status()).isEqualTo(200);
				}
			}
			assertOthersAreAnsweredImmediately();
		}
	}

	@ParameterizedTest
	@ValueSource(booleans = { false, true })
	void otherRequestsWhileLargeFilesAreReadSlowlyOrNotAtAllAreAnsweredImmediately(boolean slowly) throws Exception {
		String file = largeFile();
		try (Connections readers = new Connections();
				ScheduledExecutorService ticks = Executors.newSingleThreadScheduledExecutor()) {
			for (int i = 0; i < 200; i++) {
				readers.open(MAX_RESPONSE_MILLIS).send(get(file));
			}
			if (slowly) {
				ticks.scheduleWithFixedDelay(readers::readSome, 0, 500, TimeUnit.MILLISECONDS);
			}
			assertOthersAreAnsweredImmediately();
			// Connections of slow readers are closed, so others can get the file
			Awaitility.await()
				.atMost(TIMEOUT_SECONDS, TimeUnit.SECONDS)
				.ignoreExceptions()
				.until(() -> RawConnection.get(gateway.port(), file).body().length() > LARGE_FILE_MIN_SIZE);
			assertOthersAreAnsweredImmediately();
			assertNoRequestOccupiesAThread();
			ticks.shutdownNow();
		}
	}

	@Test
	void allCallersWhileOthersSendIncompleteRequestsAreAnswered() throws Exception {
		String half = get("/api/prompt", "X-Long: " + "x".repeat(3_000));
		try (Connections halfSent = new Connections(); Connections others = new Connections()) {
			for (int i = 0; i < 300; i++) {
				halfSent.open(MAX_RESPONSE_MILLIS).send(half.substring(0, half.length() - 2));
			}
			for (int i = 0; i < 100; i++) {
				others.open(MAX_RESPONSE_MILLIS).send(get("/api/prompt", "X-Long: " + "x".repeat(3_072)));
			}
			for (RawConnection other : others) {
				assertThat(other.read().status()).isEqualTo(200);
			}
			for (RawConnection caller : halfSent) {
				assertThat(caller.send("\r\n").read().status()).isEqualTo(200);
			}
		}
	}

	@Test
	void callersAboveTheLimitAreRejectedAndPermitsAreReleased() throws Exception {
		awaitStale();
		Hold hold = upstream.hold();
		try (Connections waiting = new Connections(); Connections gone = new Connections()) {
			for (int i = 0; i < 500; i++) {
				waiting.open(TIMEOUT_SECONDS * 1_000).send(get("/api/prompt", "Cache-Control: no-cache"));
				gone.open(TIMEOUT_SECONDS * 1_000).send(get("/api/prompt", "Cache-Control: no-cache"));
			}
			awaitWaiting(1_000);
			Response rejected = RawConnection.get(gateway.port(), "/api/prompt", "Cache-Control: no-cache");
			assertThat(rejected.status()).isEqualTo(503);
			GatewayErrors.assertError(rejected, "TOO_MANY_WAITING");
			assertThat(rejected.header("Retry-After")).hasValue("1");
			gone.leave();
			hold.release();
			for (RawConnection caller : waiting) {
				assertThat(caller.read().status()).isEqualTo(200);
			}
			awaitWaiting(0);
		}
		finally {
			hold.release();
		}
		assertOthersAreAnsweredImmediately();
	}

	@Test
	void resetConnectionsLeakNothing() throws Exception {
		// The first round loads classes and starts threads, which are not leaks
		resetAll(100);
		assertNoCallersWaiting();
		long descriptors = gateway.descriptors();
		resetAll(2_000);
		assertNoCallersWaiting();
		Awaitility.await().atMost(TIMEOUT_SECONDS, TimeUnit.SECONDS).until(() -> gateway.descriptors() <= descriptors);
		assertOthersAreAnsweredImmediately();
	}

	private static void resetAll(int callers) throws IOException {
		List<String> requests = List.of(get("/api/prompt"), get("/livez"), get("/nope"),
				"GET /api/prompt HTTP/1.1\r\nHo", get("/api/prompt", "Cache-Control: no-cache"),
				RawConnection.request("POST", "/api/prompt", "Content-Length: 100000") + "x".repeat(1_000));
		Hold hold = upstream.hold();
		try {
			for (int i = 0; i < callers; i++) {
				RawConnection connection = new RawConnection(gateway.port());
				connection.send(requests.get(i % requests.size()));
				connection.reset();
			}
		}
		finally {
			hold.release();
		}
	}

	private static void assertNoCallersWaiting() throws Exception {
		awaitWaiting(0);
		assertNoRequestOccupiesAThread();
	}

	/** Waits until a request can refresh the cached answer. */
	private static void awaitStale() {
		Awaitility.await()
			.atMost(TIMEOUT_SECONDS, TimeUnit.SECONDS)
			.until(() -> RawConnection.get(gateway.port(), "/api/prompt", "Cache-Control: only-if-cached")
				.header("Age")
				.filter(age -> Integer.parseInt(age) > 1)
				.isPresent());
	}

	private static void awaitWaiting(int callers) {
		Awaitility.await()
			.atMost(TIMEOUT_SECONDS, TimeUnit.SECONDS)
			.until(() -> RawConnection.get(gateway.managementPort(), "/actuator/prometheus")
				.body()
				.contains("comfy_gateway_callers_waiting %s.0\n".formatted(callers)));
	}

	/** The bulkhead threads end when they have no work. */
	private static void assertNoRequestOccupiesAThread() {
		Awaitility.await()
			.atMost(TIMEOUT_SECONDS, TimeUnit.SECONDS)
			.untilAsserted(() -> assertThat(gateway.threadDump().lines())
				.filteredOn(line -> line.matches("#\\d+ \"(probe|prompt|page|other)-\\d+\".*"))
				.isEmpty());
	}

	private static void awaitOthersAreAnsweredImmediately() {
		Awaitility.await()
			.atMost(TIMEOUT_SECONDS, TimeUnit.SECONDS)
			.ignoreExceptions()
			.untilAsserted(HostileCallersIT::assertOthersAreAnsweredImmediately);
	}

	private static void assertOthersAreAnsweredImmediately() throws IOException {
		for (int i = 0; i < 3; i++) {
			assertAnsweredImmediately(gateway.port(), "/livez", 200);
			assertAnsweredImmediately(gateway.managementPort(), "/actuator/health/liveness", 200);
			assertAnsweredImmediately(gateway.port(), "/api/prompt", 200);
			assertAnsweredImmediately(gateway.port(), "/nope", 404);
		}
	}

	private static void assertAnsweredImmediately(int port, String path, int status) throws IOException {
		try (RawConnection connection = new RawConnection(port, MAX_RESPONSE_MILLIS)) {
			assertThat(connection.send(get(path)).read().status()).as(path).isEqualTo(status);
		}
	}

	private static String largeFile() throws IOException {
		Matcher script = SCRIPT.matcher(RawConnection.get(gateway.port(), "/swagger-ui/index.html").body());
		assertThat(script.find()).isTrue();
		return "/swagger-ui/" + script.group(1);
	}

	private static String get(String path, String... headers) {
		return RawConnection.request("GET", path, headers);
	}

	/** Connections that are closed together. */
	private static final class Connections implements AutoCloseable, Iterable<RawConnection> {

		private final List<RawConnection> open = new ArrayList<>();

		RawConnection open(int timeoutMillis) throws IOException {
			RawConnection connection = new RawConnection(gateway.port(), timeoutMillis);
			open.add(connection);
			return connection;
		}

		/** Reads some bytes from each connection. */
		void readSome() {
			for (RawConnection connection : open) {
				connection.readSome(1_000);
			}
		}

		@Override
		public Iterator<RawConnection> iterator() {
			return open.iterator();
		}

		@Override
		public void close() throws IOException {
			leave();
		}

		void leave() throws IOException {
			for (RawConnection connection : open) {
				connection.close();
			}
		}

	}

}
