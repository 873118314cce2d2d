package dev.comfygateway.server;

import dev.comfygateway.support.Certificates;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.awaitility.Awaitility;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** Tests that call {@link HeadTimeout#checkConnections} directly. */
class HeadTimeoutTests {

	private static final long NEVER = Long.MAX_VALUE / 2;

	private static final String HEAD = "GET / HTTP/1.1\r\nHost: gateway.example\r\n\r\n";

	@TempDir
	static Path directory;

	private static KeyStore certificate;

	private final Server server = new Server();

	private ServerConnector connector = new ServerConnector(server);

	private HeadTimeout timeout = new HeadTimeout(connector, NEVER);

	@BeforeAll
	static void makeCertificate() throws Exception {
		certificate = Certificates.make(directory, "server", "dns:gateway.example");
	}

	@AfterEach
	void stop() throws Exception {
		server.stop();
	}

	@Test
	void checkWhenHeadArrivesByteByByteClosesTheConnection() throws Exception {
		start(connector);
		try (Socket caller = connect()) {
			send(caller, "G");
			timeout.checkConnections();
			send(caller, "E");
			timeout.checkConnections();
			assertClosed(caller);
		}
	}

	@Test
	void checkWhenHeadStaysIncompleteClosesTheConnection() throws Exception {
		start(connector);
		try (Socket caller = connect()) {
			send(caller, HEAD);
			timeout.checkConnections();
			send(caller, "G");
			timeout.checkConnections();
			timeout.checkConnections();
			assertClosed(caller);
		}
	}

	@Test
	void checkWhenConnectionHasClosedRetainsNoReferenceToIt() throws Exception {
		start(connector);
		WeakReference<EndPoint> ended;
		try (Socket caller = connect()) {
			send(caller, HEAD);
			timeout.checkConnections();
			ended = new WeakReference<>(connector.getConnectedEndPoints().iterator().next());
		}
		Awaitility.await().until(() -> {
			// A selector may still refer to the last connection that it served
			try (Socket next = connect()) {
				send(next, HEAD);
			}
			System.gc();
			return ended.get() == null;
		});
	}

	@Test
	void intervalWhenIdleTimeoutIsUnlimitedIsTheMaximum() {
		assertThat(ServerConfiguration.headMillis(0)).isEqualTo(20_000);
		assertThat(ServerConfiguration.headMillis(-1)).isEqualTo(20_000);
		assertThat(ServerConfiguration.headMillis(500)).isEqualTo(500);
	}

	@Test
	void checkWhenConnectionIsIdleKeepsIt() throws Exception {
		start(connector);
		try (Socket silent = connect(); Socket caller = connect()) {
			send(caller, HEAD);
			for (int i = 0; i < 5; i++) {
				timeout.checkConnections();
			}
			send(caller, HEAD);
			send(silent, HEAD);
			assertThat(connector.getConnectedEndPoints()).hasSize(2);
		}
	}

	@Test
	void checkWhenHeadIsCompleteBeforeTheNextCheckKeepsTheConnection() throws Exception {
		start(connector);
		try (Socket caller = connect()) {
			for (int i = 0; i < 5; i++) {
				send(caller, HEAD.substring(0, 5));
				timeout.checkConnections();
				send(caller, HEAD.substring(5));
			}
			assertThat(connector.getConnectedEndPoints()).hasSize(1);
		}
	}

	@Test
	void checkWhenHandshakeArrivesByteByByteClosesTheConnection() throws Exception {
		startWithTls();
		try (Socket caller = connect()) {
			// Start of a TLS record with a ClientHello
			for (String piece : List.of("\u0016\u0003", "\u0001")) {
				send(caller, piece);
				timeout.checkConnections();
			}
			assertClosed(caller);
		}
	}

	@Test
	void checkWhenHandshakeIsFollowedByNoRequestKeepsTheConnection() throws Exception {
		SSLContext context = startWithTls();
		try (Socket raw = connect(); SSLSocket caller = (SSLSocket) secure(context, raw)) {
			timeout.checkConnections();
			caller.startHandshake();
			for (int i = 0; i < 5; i++) {
				timeout.checkConnections();
			}
			exchange(caller);
		}
	}

	@Test
	void checkWhenRequestsArriveOverTlsKeepsTheConnection() throws Exception {
		SSLContext context = startWithTls();
		try (Socket caller = secure(context, connect())) {
			for (int i = 0; i < 5; i++) {
				exchange(caller);
				timeout.checkConnections();
			}
			exchange(caller);
		}
	}

	private SSLContext startWithTls() throws Exception {
		SslContextFactory.Server tls = new SslContextFactory.Server();
		tls.setKeyStore(certificate);
		tls.setKeyStorePassword(Certificates.PASSWORD);
		start(new ServerConnector(server, tls));
		TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
		trust.init(certificate);
		SSLContext context = SSLContext.getInstance("TLS");
		context.init(null, trust.getTrustManagers(), null);
		return context;
	}

	private Socket secure(SSLContext context, Socket socket) throws IOException {
		return context.getSocketFactory().createSocket(socket, "gateway.example", connector.getLocalPort(), true);
	}

	private void start(ServerConnector connector) throws Exception {
		this.connector = connector;
		this.timeout = new HeadTimeout(connector, NEVER);
		connector.setHost("127.0.0.1");
		connector.addBean(timeout);
		server.addConnector(connector);
		server.setHandler(new Handler.Abstract() {
			@Override
			public boolean handle(Request request, Response response, Callback callback) {
				callback.succeeded();
				return true;
			}
		});
		server.start();
	}

	private Socket connect() throws IOException {
		return new Socket(InetAddress.getLoopbackAddress(), connector.getLocalPort());
	}

	/** Sends the text, and waits until the server has read it. */
	private void send(Socket caller, String text) throws IOException {
		long before = bytesIn();
		caller.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
		caller.getOutputStream().flush();
		Awaitility.await().until(() -> bytesIn() == before + text.length() && isAnswered());
	}

	private long bytesIn() {
		return connector.getConnectedEndPoints()
			.stream()
			.mapToLong(endPoint -> endPoint.getConnection().getBytesIn())
			.sum();
	}

	private boolean isAnswered() {
		return connector.getConnectedEndPoints()
			.stream()
			.map(EndPoint::getConnection)
			.allMatch(connection -> connection.getMessagesIn() == connection.getMessagesOut());
	}

	private static void exchange(Socket caller) throws IOException {
		caller.getOutputStream().write(HEAD.getBytes(StandardCharsets.US_ASCII));
		byte[] buffer = new byte[4096];
		int length = caller.getInputStream().read(buffer);
		assertThat(new String(buffer, 0, Math.max(length, 0), StandardCharsets.US_ASCII)).startsWith("HTTP/1.1 200");
	}

	private static void assertClosed(Socket caller) throws IOException {
		caller.setSoTimeout(10_000);
		byte[] rest = caller.getInputStream().readAllBytes();
		assertThat(new String(rest, StandardCharsets.US_ASCII)).doesNotContain("HTTP/1.1 4");
	}

}
