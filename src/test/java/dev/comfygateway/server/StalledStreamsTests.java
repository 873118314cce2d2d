package dev.comfygateway.server;

import dev.comfygateway.support.Http2Connection;
import dev.comfygateway.support.RawConnection;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.eclipse.jetty.http2.ErrorCode;
import org.eclipse.jetty.http2.HTTP2Connection;
import org.eclipse.jetty.http2.HTTP2Session;
import org.eclipse.jetty.http2.server.HTTP2CServerConnectionFactory;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** Tests of the checks of HTTP/2 connections, which the tests run themselves. */
class StalledStreamsTests {

	private static final Duration TIMEOUT = Duration.ofSeconds(20);

	/** More than the window of a connection, and less than that of a stream. */
	private static final int LARGE = 200_000;

	/** More than the sockets buffer. */
	private static final int HUGE = 64 * 1024 * 1024;

	private static final int HUGE_WINDOW = 1 << 30;

	private final Server server = new Server();

	private final AtomicInteger handled = new AtomicInteger();

	private final CountDownLatch released = new CountDownLatch(1);

	private ServerConnector connector = new ServerConnector(server);

	private HeadTimeout checks = new HeadTimeout(connector, Long.MAX_VALUE);

	@BeforeEach
	void start() throws Exception {
		HttpConfiguration configuration = new HttpConfiguration();
		connector = new ServerConnector(server, new HttpConnectionFactory(configuration),
				new HTTP2CServerConnectionFactory(configuration));
		Http2.customize(connector);
		connector.setHost("127.0.0.1");
		server.addConnector(connector);
		HeapBudget heap = new HeapBudget(Integer.MAX_VALUE, new ConnectionShedder(0, new SimpleMeterRegistry()));
		Map<Lane, Bulkhead> bulkheads = Map.of(Lane.OTHER, Bulkhead.ofQuick("test", 1));
		BulkheadHandler handler = new BulkheadHandler(bulkheads, List.of(), heap, new ErrorResponseHandler("gateway"));
		handler.setHandler(new Handler.Abstract() {
			@Override
			public boolean handle(Request request, Response response, Callback callback) throws Exception {
				handled.incrementAndGet();
				String path = Request.getPathInContext(request);
				if (path.equals("/wait")) {
					released.await();
				}
				int length = path.equals("/huge") ? HUGE : path.equals("/large") ? LARGE : 1;
				response.write(true, ByteBuffer.allocate(length), callback);
				return true;
			}
		});
		server.setHandler(handler);
		server.start();
		checks = new HeadTimeout(connector, Long.MAX_VALUE);
	}

	@AfterEach
	void stop() throws Exception {
		released.countDown();
		server.stop();
	}

	@Test
	void streamIsResetWhenOnlyTheWindowOfItsConnectionIsEmpty() throws IOException {
		try (Http2Connection caller = new Http2Connection(connector.getLocalPort(), 20_000, HUGE_WINDOW)) {
			int stream = caller.request(RawConnection.request("GET", "/large"));
			Awaitility.await().atMost(TIMEOUT).until(() -> session().updateSendWindow(0) <= 0);
			checks.checkConnections();
			assertThat(session().getStreams()).hasSize(1);
			checks.checkConnections();
			assertThat(caller.awaitReset(stream)).isEqualTo(ErrorCode.CANCEL_STREAM_ERROR.code);
		}
	}

	@Test
	void streamIsKeptWhileItsConnectionSends() throws IOException {
		try (Http2Connection caller = new Http2Connection(connector.getLocalPort(), 20_000, HUGE_WINDOW)) {
			int stream = caller.request(RawConnection.request("GET", "/large"));
			for (int i = 0; i < 4; i++) {
				Awaitility.await().atMost(TIMEOUT).until(() -> session().updateSendWindow(0) <= 0);
				checks.checkConnections();
				long sent = connection().getBytesOut();
				caller.send(Http2Connection.WINDOW_UPDATE, 0, 0, ByteBuffer.allocate(4).putInt(1_000).array());
				Awaitility.await().atMost(TIMEOUT).until(() -> connection().getBytesOut() > sent);
			}
			assertThat(caller.read(stream).body()).hasSize(LARGE);
		}
	}

	@Test
	void connectionIsClosedAtTheFourthCheckOfAPendingWrite() throws IOException {
		try (Http2Connection caller = new Http2Connection(connector.getLocalPort(), 20_000, HUGE_WINDOW)) {
			caller.send(Http2Connection.WINDOW_UPDATE, 0, 0, ByteBuffer.allocate(4).putInt(HUGE_WINDOW).array());
			caller.request(RawConnection.request("GET", "/huge"));
			Awaitility.await().atMost(TIMEOUT).until(() -> Http2.isWritePending(connection()));
			for (int i = 0; i < 3; i++) {
				checks.checkConnections();
				assertThat(connector.getConnectedEndPoints()).hasSize(1);
			}
			checks.checkConnections();
			Awaitility.await().atMost(TIMEOUT).until(() -> connector.getConnectedEndPoints().isEmpty());
		}
	}

	@Test
	void resetStreamTakesNoThread() throws IOException {
		try (Http2Connection caller = new Http2Connection(connector.getLocalPort())) {
			int first = caller.request(RawConnection.request("GET", "/wait"));
			int second = caller.request(RawConnection.request("GET", "/"));
			Awaitility.await().atMost(TIMEOUT).until(() -> session().getStreams().size() == 2);
			caller.send(Http2Connection.RST_STREAM, 0, second, ByteBuffer.allocate(4).putInt(8).array());
			Awaitility.await().atMost(TIMEOUT).until(() -> session().getStreams().size() == 1);
			released.countDown();
			assertThat(caller.read(first).status()).isEqualTo(200);
			assertThat(caller.read(caller.request(RawConnection.request("GET", "/"))).status()).isEqualTo(200);
			assertThat(handled).hasValue(2);
		}
	}

	private HTTP2Session session() {
		return connection().getSession();
	}

	/** Returns the only connection, once the server speaks HTTP/2 on it. */
	private HTTP2Connection connection() {
		return Awaitility.await()
			.atMost(TIMEOUT)
			.until(() -> connector.getConnectedEndPoints()
				.stream()
				.map(endPoint -> endPoint.getConnection())
				.filter(HTTP2Connection.class::isInstance)
				.map(HTTP2Connection.class::cast)
				.findFirst(), Optional::isPresent)
			.orElseThrow();
	}

}
