package dev.comfygateway.server;

import dev.comfygateway.support.Http2Connection;
import dev.comfygateway.support.RawConnection;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.eclipse.jetty.http2.ErrorCode;
import org.eclipse.jetty.http2.server.HTTP2CServerConnectionFactory;
import org.eclipse.jetty.io.WindowRateControl;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** Tests of the heap budget with HTTP/2 connections. */
class Http2StreamHeapTests {

	private static final int KIB = 1024;

	private static final int MAX_CALLERS = 1_000;

	private static final String SHORT = "X-Short: x";

	private static final String LONG = "X-Long: " + "x".repeat(4 * KIB);

	private static final String TOO_LONG = "X-Long: " + "x".repeat(9 * KIB);

	/** More frames than are read of a body, however short they are. */
	private static final int MANY_FRAMES = 9 * KIB;

	/** More than the buffers of the sockets. */
	private static final int HUGE = 64 * KIB * KIB;

	private static final Duration TIMEOUT = Duration.ofSeconds(20);

	private final Server server = new Server();

	private final SimpleMeterRegistry meters = new SimpleMeterRegistry();

	private final List<Http2Connection> callers = new ArrayList<>();

	private ServerConnector connector = new ServerConnector(server);

	@AfterEach
	void stop() throws Exception {
		for (Http2Connection caller : callers) {
			caller.close();
		}
		server.stop();
	}

	@Test
	void connectionsWhenTheyReadNoResponseAreClosedToFreeHeap() throws Exception {
		start(300 * KIB);
		for (int i = 0; shed() == 0 && i < MAX_CALLERS; i++) {
			connect(0).request(RawConnection.request("GET", "/"));
		}
		assertThat(shed()).isPositive();
		assertThat(answer(connect(KIB))).isEqualTo(200);
	}

	@Test
	void connectionsWithoutStreamsAreClosedToFreeHeap() throws Exception {
		start(300 * KIB);
		for (int i = 0; shed() == 0 && i < MAX_CALLERS; i++) {
			assertThat(answer(connect(KIB))).isEqualTo(200);
		}
		assertThat(shed()).isPositive();
	}

	@Test
	void streamsWhenNoConnectionCanBeClosedAreRejected() throws Exception {
		start(100 * KIB);
		Http2Connection caller = connect(KIB);
		int last = 0;
		for (int i = 0; i < 50; i++) {
			last = caller.request(RawConnection.request("GET", "/wait", LONG));
		}
		assertThat(caller.read(last).status()).isEqualTo(503);
		// Other connections are still served
		assertThat(answer(connect(KIB))).isEqualTo(200);
	}

	@Test
	void streamWithAnIncompleteBodyIsResetWhenNoConnectionCanBeClosed() throws Exception {
		start(100 * KIB);
		Http2Connection caller = connect(KIB);
		for (int i = 0; i < 50; i++) {
			caller.request(RawConnection.request("GET", "/wait", LONG));
		}
		assertThat(caller.awaitReset(requestWithBody(caller, LONG))).isEqualTo(ErrorCode.REFUSED_STREAM_ERROR.code);
	}

	@Test
	void streamWithALongHeadIsResetWhenItsBodyHasManyFrames() throws Exception {
		start(Integer.MAX_VALUE);
		Http2Connection caller = connect(0);
		int stream = requestWithBody(caller, TOO_LONG);
		for (int i = 0; i < MANY_FRAMES; i++) {
			caller.send(Http2Connection.DATA, 0, stream, (byte) 1);
		}
		assertThat(caller.awaitReset(stream)).isEqualTo(ErrorCode.NO_ERROR.code);
	}

	@Test
	void responseToALongHeadIsCompleteWhenItsBodyArrivesLater() throws Exception {
		start(Integer.MAX_VALUE);
		Http2Connection caller = connect(KIB);
		int stream = requestWithBody(caller, TOO_LONG);
		assertThat(caller.awaitStatus(stream)).isEqualTo(431);
		caller.send(Http2Connection.DATA, 0, stream, new byte[KIB]);
		caller.send(Http2Connection.DATA, Http2Connection.END_STREAM, stream, new byte[KIB]);
		assertThat(caller.read(stream).body()).contains("REQUEST_HEADER_FIELDS_TOO_LARGE").endsWith("}");
		assertThat(answer(caller)).isEqualTo(200);
	}

	@Test
	void connectionIsClosedWhenItDoesNotReadTheAnswersToPings() throws Exception {
		start(Integer.MAX_VALUE);
		connector.getConnectionFactory(HTTP2CServerConnectionFactory.class)
			.setRateControlFactory(new WindowRateControl.Factory(Integer.MAX_VALUE));
		Http2Connection caller = connect(HUGE);
		caller.send(Http2Connection.WINDOW_UPDATE, 0, 0, ByteBuffer.allocate(4).putInt(HUGE).array());
		caller.request(RawConnection.request("GET", "/huge"));
		byte[] ping = Http2Connection.frame(Http2Connection.PING, 0, 0, new byte[8]);
		Awaitility.await().atMost(TIMEOUT).ignoreExceptionsInstanceOf(IOException.class).until(() -> {
			if (connector.getConnectedEndPoints().isEmpty()) {
				return true;
			}
			for (int i = 0; i < 500; i++) {
				caller.write(ping);
			}
			return false;
		});
	}

	@Test
	void streamIsResetWhenItsTrailersAreLarge() throws Exception {
		start(Integer.MAX_VALUE);
		Http2Connection caller = connect(KIB);
		int small = requestWithBody(caller, SHORT);
		sendTrailers(caller, small, 1);
		assertThat(caller.read(small).status()).isEqualTo(200);
		int large = requestWithBody(caller, SHORT);
		sendTrailers(caller, large, 10);
		assertThat(caller.awaitReset(large)).isEqualTo(ErrorCode.ENHANCE_YOUR_CALM_ERROR.code);
		assertThat(answer(caller)).isEqualTo(200);
	}

	@Test
	void methodCountsAsPartOfTheHead() throws Exception {
		start(Integer.MAX_VALUE);
		Http2Connection caller = connect(KIB);
		assertThat(caller.read(caller.request(RawConnection.request("X".repeat(9 * KIB), "/"))).status())
			.isEqualTo(431);
		assertThat(caller.read(caller.request(RawConnection.request("X", "/"))).status()).isEqualTo(200);
	}

	@Test
	void handlerFailureEndsOnlyItsStream() throws Exception {
		start(Integer.MAX_VALUE);
		Http2Connection caller = connect(KIB);
		assertThat(caller.read(caller.request(RawConnection.request("GET", "/throw"))).status()).isEqualTo(500);
		assertThat(answer(caller)).isEqualTo(200);
	}

	@Test
	void endedStreamsAreChargedOnlyForTheirObjects() throws Exception {
		start(100 * KIB);
		Http2Connection caller = connect(KIB);
		for (int i = 0; i < 200; i++) {
			assertThat(caller.read(caller.request(RawConnection.request("GET", "/", LONG))).status()).isEqualTo(200);
		}
		assertThat(shed()).isZero();
	}

	private void start(int max) throws Exception {
		HeapBudget budget = new HeapBudget(max, new ConnectionShedder(0, meters));
		HttpConfiguration configuration = new HttpConfiguration();
		HttpConnectionFactory http = new HttpConnectionFactory(configuration);
		connector = new ServerConnector(server, http, new HTTP2CServerConnectionFactory(configuration));
		Http2.customize(connector);
		connector.addFirstConnectionFactory(new MeteredConnectionFactory(budget, http));
		connector.setHost("127.0.0.1");
		budget.add(connector);
		server.addConnector(connector);
		Http2StreamHandler handler = new Http2StreamHandler(budget, new ErrorResponseHandler("gateway"));
		handler.setHandler(new Handler.Abstract.NonBlocking() {
			@Override
			public boolean handle(Request request, Response response, Callback callback) {
				if (Request.getPathInContext(request).equals("/throw")) {
					throw new IllegalStateException("A bug");
				}
				if (Request.getPathInContext(request).equals("/huge")) {
					response.write(true, ByteBuffer.allocate(HUGE), callback);
				}
				else if (!Request.getPathInContext(request).equals("/wait")) {
					response.write(true, StandardCharsets.US_ASCII.encode("answer"), callback);
				}
				return true;
			}
		});
		server.setHandler(handler);
		server.start();
	}

	private Http2Connection connect(int window) throws IOException {
		Http2Connection caller = new Http2Connection(connector.getLocalPort(), 20_000, window);
		callers.add(caller);
		return caller;
	}

	/** Sends the head of a request with a body, and returns the id of its stream. */
	private static int requestWithBody(Http2Connection caller, String header) throws IOException {
		int stream = caller.nextStream();
		caller.send(Http2Connection.HEADERS, Http2Connection.END_HEADERS, stream,
				Http2Connection.head(RawConnection.request("POST", "/", header).strip()));
		return stream;
	}

	private static void sendTrailers(Http2Connection caller, int stream, int fields) throws IOException {
		ByteArrayOutputStream trailers = new ByteArrayOutputStream();
		for (int i = 0; i < fields; i++) {
			Http2Connection.field(trailers, "a", "");
		}
		caller.send(Http2Connection.HEADERS, Http2Connection.END_HEADERS | Http2Connection.END_STREAM, stream,
				trailers.toByteArray());
	}

	private static int answer(Http2Connection caller) throws IOException {
		return caller.read(caller.request(RawConnection.request("GET", "/"))).status();
	}

	private double shed() {
		return meters.counter("comfy.gateway.connections.shed").count();
	}

}
