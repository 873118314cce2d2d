package dev.comfygateway.server;

import dev.comfygateway.support.RawConnection;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.nio.channels.SelectableChannel;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.Callback;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;

class HeapBudgetTests {

	private static final int KIB = 1024;

	private static final String LONG = "X-Long: " + "x".repeat(4 * KIB);

	private final Server server = new Server();

	private final SimpleMeterRegistry meters = new SimpleMeterRegistry();

	private final List<RawConnection> callers = new ArrayList<>();

	private final CountDownLatch entered = new CountDownLatch(1);

	private ServerConnector connector = new ServerConnector(server);

	private HeapBudget budget = new HeapBudget(0, new ConnectionShedder(0, meters));

	@AfterEach
	void stop() throws Exception {
		for (RawConnection caller : callers) {
			caller.close();
		}
		server.stop();
	}

	@Test
	void requestsWhileClosedConnectionsAreCountedAreServed() throws Exception {
		CountDownLatch proceed = new CountDownLatch(1);
		SelectableChannel channel = mock(SelectableChannel.class);
		when(channel.isRegistered()).thenAnswer(call -> {
			entered.countDown();
			return proceed.await(10, TimeUnit.SECONDS);
		});
		MeteredEndPoint endPoint = mock(MeteredEndPoint.class);
		when(endPoint.estimate()).thenReturn(new HeapEstimate(channel, 1));
		budget = new HeapBudget(10, new ConnectionShedder(0, meters));
		budget.accepted(connector, endPoint);
		CompletableFuture<Void> counting = CompletableFuture.runAsync(() -> budget.charge(100));
		assertThat(entered.await(10, TimeUnit.SECONDS)).isTrue();
		assertThat(budget.tryMakeRoom()).isTrue();
		proceed.countDown();
		counting.join();
		assertThat(budget.tryMakeRoom()).isTrue();
	}

	@Test
	void incompleteHeadsAreClosedBeforeIdleConnections() throws Exception {
		// More than the connections without their heads
		start(120 * KIB, 0);
		RawConnection idle = connect().send(RawConnection.request("GET", "/"));
		idle.read();
		for (int i = 0; i < 20; i++) {
			sendIncompleteHead(connect());
		}
		awaitShed();
		assertThat(idle.send(RawConnection.request("GET", "/")).read().status()).isEqualTo(200);
	}

	@Test
	void idleConnectionsWhenNoHeadIsIncompleteAreClosed() throws Exception {
		// Exceeded by the head of the last connection, not when it is accepted
		start(98 * KIB, 0);
		while (shed() == 0) {
			assertThat(connect().send(RawConnection.request("GET", "/", LONG)).read().status()).isEqualTo(200);
		}
		assertThat(connect().send(RawConnection.request("GET", "/")).read().status()).isEqualTo(200);
	}

	@Test
	void connectionThatPollsIsKeptWhileOthersAreIdle() throws Exception {
		start(100 * KIB, 0);
		RawConnection polling = connect();
		while (shed() == 0) {
			assertThat(connect().send(RawConnection.request("GET", "/")).read().status()).isEqualTo(200);
			long since = System.currentTimeMillis();
			Awaitility.await().until(() -> System.currentTimeMillis() > since);
			// Larger than those of the others, but not large
			assertThat(polling.send(RawConnection.request("GET", "/", "X: " + "x".repeat(KIB))).read().status())
				.isEqualTo(200);
		}
		assertThat(polling.send(RawConnection.request("GET", "/")).read().status()).isEqualTo(200);
		assertThat(callers.get(1).readToEnd()).isEmpty();
	}

	@Test
	void connectionWithLargeHeadsIsClosedBeforeIdleOnes() throws Exception {
		start(200 * KIB, 0);
		RawConnection idle = connect();
		assertThat(idle.send(RawConnection.request("GET", "/")).read().status()).isEqualTo(200);
		for (int i = 0; i < 10; i++) {
			assertThat(connect().send(RawConnection.request("GET", "/", LONG)).read().status()).isEqualTo(200);
		}
		while (shed() == 0) {
			assertThat(connect().send(RawConnection.request("GET", "/")).read().status()).isEqualTo(200);
		}
		assertThat(idle.send(RawConnection.request("GET", "/")).read().status()).isEqualTo(200);
	}

	@Test
	void idleConnectionsAreClosedBeforeNewOnes() throws Exception {
		start(100 * KIB, 0);
		RawConnection newConnection = connect();
		Awaitility.await().until(() -> !connector.getConnectedEndPoints().isEmpty());
		while (shed() == 0) {
			assertThat(connect().send(RawConnection.request("GET", "/", LONG)).read().status()).isEqualTo(200);
		}
		assertThat(newConnection.send(RawConnection.request("GET", "/")).read().status()).isEqualTo(200);
	}

	@Test
	void requestInProgressWhenBudgetIsExhaustedIsCompleted() throws Exception {
		start(100 * KIB, 0);
		RawConnection waiting = connect().send(RawConnection.request("GET", "/wait", LONG));
		assertThat(entered.await(10, TimeUnit.SECONDS)).isTrue();
		for (int i = 0; i < 20; i++) {
			sendIncompleteHead(connect());
		}
		awaitShed();
		assertThat(waiting.read().status()).isEqualTo(200);
	}

	@Test
	void parkedRequestIsKeptAlthoughItsResponseHasBegun() throws Exception {
		start(100 * KIB, 0);
		// More heap than the others
		RawConnection parked = connect().send(RawConnection.request("GET", "/park", LONG));
		assertThat(entered.await(10, TimeUnit.SECONDS)).isTrue();
		while (shed() == 0) {
			assertThat(connect().send(RawConnection.request("GET", "/")).read().status()).isEqualTo(200);
		}
		assertThat(parked.read().status()).isEqualTo(200);
	}

	@Test
	void parkedRequestIsKeptAlthoughTheNextOneHasBegun() throws Exception {
		start(100 * KIB, 0);
		RawConnection parked = connect()
			.send(RawConnection.request("GET", "/park", LONG) + "GET / HTTP/1.1\r\nX: " + "x".repeat(2 * KIB));
		assertThat(entered.await(10, TimeUnit.SECONDS)).isTrue();
		Awaitility.await().until(() -> {
			sendIncompleteHead(connect());
			return shed() > 0;
		});
		assertThat(parked.read().status()).isEqualTo(200);
	}

	@ParameterizedTest
	@ValueSource(strings = { "\r\n", "Content-Length: 100000\r\n\r\n" })
	void bytesThatFollowAParkedRequestAreChargedAfterIt(String endOfHead) throws Exception {
		start(1000 * KIB, 0);
		RawConnection caller = connect().send("GET /park HTTP/1.1\r\nHost: a\r\n" + endOfHead + "a\n".repeat(1_000));
		assertThat(entered.await(10, TimeUnit.SECONDS)).isTrue();
		HeapEstimate estimate = estimate().orElseThrow();
		assertThat(estimate.heapBytes()).isLessThan(20 * KIB);
		meters.counter("comfy.gateway.connections.shed").increment();
		assertThat(caller.read().status()).isEqualTo(200);
		assertThat(estimate.heapBytes()).isGreaterThan(100 * KIB);
	}

	@Test
	void bufferWithTheNextRequestIsChargedWhileARequestIsParked() throws Exception {
		start(1000 * KIB, 0);
		String park = RawConnection.request("GET", "/park");
		RawConnection caller = connect().send(park + RawConnection.request("GET", "/"));
		assertThat(entered.await(10, TimeUnit.SECONDS)).isTrue();
		int withNext = estimate().orElseThrow().heapBytes();
		meters.counter("comfy.gateway.connections.shed").increment();
		assertThat(caller.read().status()).isEqualTo(200);
		assertThat(caller.read().status()).isEqualTo(200);
		caller.send(park).read();
		int buffer = connector.getConnectionFactory(HttpConnectionFactory.class).getInputBufferSize();
		Awaitility.await().until(() -> estimate().orElseThrow().heapBytes() <= withNext - buffer);
	}

	@Test
	void heapOfAClosedConnectionIsNotReleasedBeforeItsRequestHasEnded() {
		SelectableChannel closed = mock(SelectableChannel.class);
		HeapEstimate estimate = new HeapEstimate(closed, 1);
		assertThat(estimate.isReleased()).isTrue();
		estimate.requestBegins(10);
		assertThat(estimate.isReleased()).isFalse();
		assertThat(estimate.heapBytes()).isEqualTo(11);
		estimate.requestEnded(-10);
		assertThat(estimate.isReleased()).isTrue();
		assertThat(estimate.heapBytes()).isEqualTo(1);
	}

	@Test
	void connectionsNearTheMaximumAreClosedOldestFirst() throws Exception {
		start(Integer.MAX_VALUE, 20);
		connect();
		Awaitility.await().until(() -> !connector.getConnectedEndPoints().isEmpty());
		long since = System.currentTimeMillis();
		Awaitility.await().until(() -> System.currentTimeMillis() > since);
		for (int i = 1; i < 30; i++) {
			connect();
		}
		awaitShed();
		assertThat(callers.getFirst().readToEnd()).isEmpty();
		assertThat(callers.getLast().send(RawConnection.request("GET", "/")).read().status()).isEqualTo(200);
	}

	@Test
	void connectionsWhenOpenedFasterThanCountedAreClosedLater() throws Exception {
		start(Integer.MAX_VALUE, 20);
		for (int i = 0; i < 40; i++) {
			connect();
		}
		Awaitility.await().until(() -> {
			budget.relieve();
			return connector.getConnectedEndPoints().size() <= 18;
		});
		assertThat(shed()).isGreaterThanOrEqualTo(22);
	}

	@Test
	void connectionsWithinTheBudgetAreKept() throws Exception {
		start(1000 * KIB, 0);
		for (int i = 0; i < 20; i++) {
			sendIncompleteHead(connect());
		}
		for (RawConnection caller : callers) {
			assertThat(caller.send("\r\n").read().status()).isEqualTo(200);
			assertThat(caller.send(RawConnection.request("GET", "/")).read().status()).isEqualTo(200);
		}
		assertThat(shed()).isZero();
	}

	@Test
	void largeHeadsWhenNoConnectionCanBeClosedAreNotParsed() throws Exception {
		start(100 * KIB, 0);
		for (int i = 0; i < 24; i++) {
			connect();
		}
		Awaitility.await().until(() -> connector.getConnectedEndPoints().size() == 24);
		// All connections are new
		RawConnection large = callers.getFirst().send(RawConnection.request("GET", "/", LONG));
		RawConnection small = callers.getLast().send(RawConnection.request("GET", "/"));
		assertThat(large.readToEnd()).isEmpty();
		assertThat(small.read().status()).isEqualTo(200);
	}

	@Test
	void closedConnectionsAreNotCharged() throws Exception {
		start(100 * KIB, 0);
		for (int i = 0; i < 100; i++) {
			assertThat(RawConnection.get(connector.getLocalPort(), "/", LONG, "Connection: close").status())
				.isEqualTo(200);
			Awaitility.await().until(() -> connector.getConnectedEndPoints().isEmpty());
		}
		assertThat(shed()).isZero();
	}

	@Test
	void headWhenSplitIntoPiecesIsMetered() throws Exception {
		start(1000 * KIB, 0);
		RawConnection caller = connect();
		caller.send("GET / HTTP/1.1\r\nHost: a\r\n\r");
		Awaitility.await().until(() -> estimate().filter(HeapEstimate::isIncomplete).isPresent());
		caller.send("\n").read();
		assertThat(estimate().orElseThrow().isIncomplete()).isFalse();
		// The start of the next head arrives together with the end of this one
		caller.send(RawConnection.request("GET", "/") + "GET / HTTP/1.1\r\na:\r\n").read();
		assertThat(estimate().orElseThrow().isIncomplete()).isTrue();
		caller.send("Host: a\r\n\r\n").read();
		assertThat(estimate().orElseThrow().isIncomplete()).isFalse();
	}

	@Test
	void requestInProgressIsChargedUntilItEnds() throws Exception {
		start(1000 * KIB, 0);
		RawConnection caller = connect().send(RawConnection.request("GET", "/wait", LONG));
		assertThat(entered.await(10, TimeUnit.SECONDS)).isTrue();
		// The text of the field, and a buffer of twice its length
		Awaitility.await().until(() -> estimate().orElseThrow().heapBytes() > 3 * 4 * KIB + 4 * KIB);
		meters.counter("comfy.gateway.connections.shed").increment();
		assertThat(caller.read().status()).isEqualTo(200);
		Awaitility.await().until(() -> estimate().orElseThrow().heapBytes() < 3 * 4 * KIB + 4 * KIB);
	}

	@ParameterizedTest
	@ValueSource(strings = { "/", "/throw", "/unhandled" })
	void requestsThatHaveEndedAreReleased(String path) throws Exception {
		start(100 * KIB, 0);
		RawConnection caller = connect();
		for (int i = 0; i < 100; i++) {
			assertThat(caller.send(RawConnection.request("GET", path, LONG)).read().status()).isIn(200, 404, 500);
		}
		assertThat(shed()).isZero();
	}

	@Test
	void referencesToFieldsStayChargedAfterTheRequest() throws Exception {
		start(1000 * KIB, 0);
		connect().send("GET / HTTP/1.1\r\nHost: a\r\n" + "a:\r\n".repeat(1_000) + "\r\n").read();
		int heapBytes = Awaitility.await().until(() -> estimate().orElseThrow().heapBytes(), bytes -> bytes < 20 * KIB);
		assertThat(heapBytes).isGreaterThan(12 * KIB);
	}

	@Test
	void bufferOfALongNameStaysChargedAfterTheRequest() throws Exception {
		start(1000 * KIB, 0);
		connect().send(RawConnection.request("GET", "/", "x".repeat(5 * KIB) + ": v")).read();
		assertThat(estimate().orElseThrow().heapBytes()).isGreaterThan(12 * KIB);
	}

	@Test
	void buffersOfAResponseThatIsNotReadAreCharged() throws Exception {
		start(1000 * KIB, 0);
		connector.setAcceptedSendBufferSize(4 * KIB);
		connector.setAcceptedReceiveBufferSize(4 * KIB);
		RawConnection caller = connect();
		Thread sending = Thread.ofVirtual().start(() -> sendWithoutEnd(caller));
		// Those of the response's head, and of the requests behind it
		Awaitility.await().until(() -> estimate().isPresent() && estimate().orElseThrow().heapBytes() > 20 * KIB);
		caller.close();
		sending.join();
	}

	private static void sendWithoutEnd(RawConnection caller) {
		try {
			while (true) {
				caller.send(RawConnection.request("GET", "/write").repeat(100));
			}
		}
		catch (IOException ignored) {
			// Closed
		}
	}

	private void start(int max, int maxConnections) throws Exception {
		budget = new HeapBudget(max, new ConnectionShedder(maxConnections, meters));
		HttpConnectionFactory http = new HttpConnectionFactory();
		connector = new ServerConnector(server, http);
		connector.addFirstConnectionFactory(new MeteredConnectionFactory(budget, http));
		connector.setHost("127.0.0.1");
		budget.add(connector);
		server.addConnector(connector);
		HeadHandler handler = new HeadHandler(new ErrorResponseHandler("gateway"));
		handler.setHandler(new Handler.Abstract.NonBlocking() {
			@Override
			public boolean handle(Request request, Response response, Callback callback) {
				String path = Request.getPathInContext(request);
				if (path.equals("/throw")) {
					throw new IllegalStateException("A bug");
				}
				if (path.equals("/unhandled")) {
					return false;
				}
				switch (path) {
					case "/wait" -> succeedAfterShedding(callback);
					case "/park" -> park(request, response, callback);
					case "/write" -> response.write(true, ByteBuffer.allocate(10), callback);
					default -> callback.succeeded();
				}
				return true;
			}
		});
		server.setHandler(handler);
		server.start();
	}

	/** Parks a request whose response begins at once, as that of a listener. */
	private void park(Request request, Response response, Callback callback) {
		Optional<Runnable> unpark = budget.park(request);
		if (unpark.isEmpty()) {
			Response.writeError(request, response, callback, 503);
			return;
		}
		response.write(false, BufferUtil.EMPTY_BUFFER,
				Callback.from(() -> succeedAfterShedding(Callback.from(unpark.get(), callback)), callback::failed));
	}

	/** The next request of the connection is not read before this one is completed. */
	private void succeedAfterShedding(Callback callback) {
		entered.countDown();
		Thread.ofVirtual().start(() -> {
			awaitShed();
			callback.succeeded();
		});
	}

	private RawConnection connect() throws IOException {
		RawConnection caller = new RawConnection(connector.getLocalPort());
		callers.add(caller);
		return caller;
	}

	private static void sendIncompleteHead(RawConnection caller) throws IOException {
		caller.send("GET / HTTP/1.1\r\nHost: localhost\r\n" + LONG + "\r\n");
	}

	private void awaitShed() {
		Awaitility.await().until(() -> shed() > 0);
	}

	private double shed() {
		return meters.counter("comfy.gateway.connections.shed").count();
	}

	private Optional<HeapEstimate> estimate() {
		return connector.getConnectedEndPoints().stream().map(HeapBudgetTests::estimate).findFirst();
	}

	private static HeapEstimate estimate(EndPoint endPoint) {
		return Objects.requireNonNull(MeteredEndPoint.of(endPoint)).estimate();
	}

}
