package dev.comfygateway.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.comfygateway.simulator.Behaviour;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.support.Certificates;
import dev.comfygateway.upstream.UpstreamFailure.Reason;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.http.client.HttpClientSettings;
import org.springframework.boot.ssl.SslBundle;
import org.springframework.boot.ssl.SslStoreBundle;

/** Tests of TLS with trusted and untrusted certificates. */
class ComfyCloudClientTlsTests {

	@TempDir
	static Path directory;

	private static KeyStore certificate;

	private static KeyStore certificateOfAnotherHost;

	@BeforeAll
	static void makeCertificates() throws Exception {
		certificate = Certificates.make(directory, "good", "ip:127.0.0.1");
		certificateOfAnotherHost = Certificates.make(directory, "other", "dns:elsewhere.example");
	}

	@Test
	void fetchWhenCertificateIsTrustedReturnsTheAnswer() {
		try (SimulatedComfyCloud upstream = upstream(certificate)) {
			assertThat(trusting(certificate, upstream).fetch()).isInstanceOf(UpstreamAnswer.class);
			assertThat(upstream.received()).singleElement()
				.satisfies(request -> assertThat(request.header("X-API-Key")).containsExactly(ClientFixture.KEY));
		}
	}

	@Test
	void fetchWhenCertificateIsSelfSignedFails() {
		try (SimulatedComfyCloud upstream = upstream(certificate)) {
			assertFails(ClientFixture.of(upstream.baseUrl()), upstream, Reason.TLS_CERTIFICATE_ERROR);
		}
	}

	@Test
	void fetchWhenCertificateIsOfAnotherHostFails() {
		try (SimulatedComfyCloud upstream = upstream(certificateOfAnotherHost)) {
			assertFails(trusting(certificateOfAnotherHost, upstream), upstream, Reason.TLS_CERTIFICATE_ERROR);
		}
	}

	/** The JDK accepts no certificate for a host name that RFC 952 does not allow. */
	@Test
	void fetchWhenHostHasAnUnderscoreFails() throws Exception {
		KeyStore wildcard = Certificates.make(directory, "wildcard", "dns:*.example.com");
		try (SimulatedComfyCloud upstream = upstream(wildcard)) {
			assertFails(ClientFixture.of("https://my_ui.example.com:" + upstream.port(), trusting(wildcard)), upstream,
					Reason.TLS_CERTIFICATE_ERROR);
			assertThat(ClientFixture.of("https://ui.example.com:" + upstream.port(), trusting(wildcard)).fetch())
				.isInstanceOf(UpstreamAnswer.class);
		}
	}

	@Test
	void fetchWhenCertificateIsRefusedReportsCauseSubjectAndDate() throws Exception {
		KeyStore expired = Certificates.make(directory, "expired", "ip:127.0.0.1", "-startdate", "2024/01/02 03:04:05",
				"-validity", "10");
		KeyStore early = Certificates.make(directory, "early", "ip:127.0.0.1", "-startdate", "+20d");
		KeyStore hostile = Certificates.make(directory, ClientFixture.KEY, "ip:127.0.0.1");
		assertThat(detail(expired, HttpClientSettings.defaults()))
			.matches("the certificate of CN=expired expired at 2024-01-1\\d.*Z");
		assertThat(detail(early, HttpClientSettings.defaults()))
			.startsWith("the certificate of CN=early is not valid before ");
		assertThat(detail(certificate, HttpClientSettings.defaults()))
			.startsWith("the certificate of CN=good is from an unknown authority, CN=good; valid until ");
		assertThat(detail(certificateOfAnotherHost, trusting(certificateOfAnotherHost)))
			.startsWith("the certificate of CN=other is for another host; valid until ");
		assertThat(detail(hostile, HttpClientSettings.defaults())).isNull();
	}

	private static @Nullable String detail(KeyStore certificate, HttpClientSettings settings) {
		try (SimulatedComfyCloud upstream = upstream(certificate);
				ClientFixture fixture = ClientFixture.of(upstream.baseUrl(), settings)) {
			UpstreamFailure failure = fixture.failure();
			assertThat(failure.reason()).isEqualTo(Reason.TLS_CERTIFICATE_ERROR);
			return failure.detail();
		}
	}

	@Test
	void fetchWhenPortHasNoTlsFails() {
		try (SimulatedComfyCloud upstream = SimulatedComfyCloud.start(0, ClientFixture.KEY)) {
			// Repeated, because either of two threads may detect the failure
			for (int i = 0; i < 50; i++) {
				assertFails(ClientFixture.of("https://127.0.0.1:" + upstream.port()), upstream,
						Reason.TLS_PROTOCOL_ERROR);
			}
		}
	}

	@Test
	void fetchWhenHandshakeStallsFailsAtTheDeadlineAndLeavesNoConnection() throws IOException {
		assertFailsTwelveTimes(ClientFixture::withShortDeadline, socket -> {
		}, Reason.RESPONSE_TIMEOUT, Map.of("timeout", 12L));
	}

	@Test
	void fetchWhenClosedInTheHandshakeFailsAfterTwoAttemptsAndLeavesNoConnection() throws IOException {
		assertFailsTwelveTimes(ClientFixture::of, socket -> {
			socket.getInputStream().read();
			socket.close();
		}, Reason.CONNECTION_TERMINATED, Map.of("unreachable", 24L));
	}

	@Test
	void fetchWhenResetInTheHandshakeFailsAfterTwoAttemptsAndLeavesNoConnection() throws IOException {
		assertFailsTwelveTimes(ClientFixture::of, socket -> {
			socket.setSoLinger(true, 0);
			socket.getInputStream().read();
			socket.close();
		}, Reason.CONNECTION_TERMINATED, Map.of("unreachable", 24L));
	}

	@Test
	void fetchWhenHandshakeEndsWithAlertFailsAfterOneAttemptAndLeavesNoConnection() throws IOException {
		assertFailsTwelveTimes(ClientFixture::of, socket -> {
			assertThat(socket.getInputStream().read()).isPositive();
			// Fatal alert 40, handshake_failure
			socket.getOutputStream().write(new byte[] { 21, 3, 3, 0, 2, 2, 40 });
		}, Reason.TLS_PROTOCOL_ERROR, Map.of("unreachable", 12L));
	}

	@Test
	void fetchWhenCertificateIsNotTrustedLeavesNoConnection() {
		try (SimulatedComfyCloud upstream = upstream(certificate);
				ClientFixture fixture = ClientFixture.of(upstream.baseUrl())) {
			for (int i = 0; i < 50; i++) {
				assertThat(fixture.failure().reason()).isEqualTo(Reason.TLS_CERTIFICATE_ERROR);
			}
			assertNoConnectionIsOpen(upstream.port());
		}
	}

	@Test
	void fetchWhenTlsResponseStallsFailsAtTheDeadlineAndTheNextOneSucceeds() {
		try (SimulatedComfyCloud upstream = upstream(certificate);
				ClientFixture fixture = ClientFixture.withShortDeadline(upstream.baseUrl(), trusting(certificate))) {
			await().atMost(Duration.ofSeconds(10)).until(() -> fixture.fetch() instanceof UpstreamAnswer);
			upstream.behave(Behaviour.DRIP);
			assertThat(fixture.failure().reason()).isEqualTo(Reason.RESPONSE_TIMEOUT);
			assertNoConnectionIsOpen(upstream.port());
			upstream.behave(Behaviour.NORMAL);
			await().atMost(Duration.ofSeconds(10)).until(() -> fixture.fetch() instanceof UpstreamAnswer);
		}
	}

	/** Asserts failures with a server that accepts connections without TLS. */
	private static void assertFailsTwelveTimes(Function<String, ClientFixture> client, ConnectionHandler handler,
			Reason reason, Map<String, Long> attempts) throws IOException {
		List<Socket> accepted = new CopyOnWriteArrayList<>();
		try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
				ClientFixture fixture = client.apply("https://127.0.0.1:" + server.getLocalPort())) {
			Thread.ofVirtual().start(() -> {
				try {
					while (true) {
						Socket socket = server.accept();
						accepted.add(socket);
						handler.handle(socket);
					}
				}
				catch (IOException ignored) {
					// The server socket was closed, which ends the loop
				}
			});
			for (int i = 0; i < 12; i++) {
				assertThat(fixture.failure().reason()).isEqualTo(reason);
			}
			assertNoConnectionIsOpen(server.getLocalPort());
			await().atMost(Duration.ofSeconds(1))
				.untilAsserted(() -> assertThat(fixture.attempts()).isEqualTo(attempts));
		}
		finally {
			for (Socket socket : accepted) {
				socket.close();
			}
		}
	}

	private static void assertNoConnectionIsOpen(int port) {
		await().atMost(Duration.ofSeconds(1)).untilAsserted(() -> assertThat(OpenSockets.to(port)).isZero());
	}

	private static void assertFails(ClientFixture fixture, SimulatedComfyCloud upstream, Reason reason) {
		try (fixture) {
			assertThat(fixture.failure()).usingRecursiveComparison()
				.ignoringFields("detail")
				.isEqualTo(UpstreamFailure.of(reason, 1));
			assertThat(fixture.attempts()).isEqualTo(Map.of("unreachable", 1L));
			assertThat(upstream.received()).isEmpty();
		}
	}

	private static ClientFixture trusting(KeyStore trusted, SimulatedComfyCloud upstream) {
		return ClientFixture.of(upstream.baseUrl(), trusting(trusted));
	}

	private static HttpClientSettings trusting(KeyStore trusted) {
		return HttpClientSettings.ofSslBundle(SslBundle.of(SslStoreBundle.of(null, null, trusted)));
	}

	private static SimulatedComfyCloud upstream(KeyStore certificate) {
		return SimulatedComfyCloud.startTls(ClientFixture.KEY, Certificates.serverSockets(certificate));
	}

	/** Server side of an accepted connection. */
	@FunctionalInterface
	private interface ConnectionHandler {

		void handle(Socket socket) throws IOException;

	}

}
