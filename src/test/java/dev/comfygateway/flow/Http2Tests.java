package dev.comfygateway.flow;

import dev.comfygateway.support.GatewayErrors;
import dev.comfygateway.support.Http2Connection;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RawConnection.Response;
import dev.comfygateway.support.RunningGateway;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import org.eclipse.jetty.http2.ErrorCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalServerPort;

import static org.assertj.core.api.Assertions.assertThat;

/** Tests specific to HTTP/2: upgrades, unread request bodies and malformed headers. */
@RunningGateway
class Http2Tests {

	private static final String UPGRADE = "Upgrade: h2c";

	private static final String CONNECTION = "Connection: Upgrade, HTTP2-Settings";

	/** {@code SETTINGS_INITIAL_WINDOW_SIZE} of 65,535. */
	private static final String SETTINGS = "HTTP2-Settings: AAQAAP__";

	private final int port;

	@Autowired
	Http2Tests(@LocalServerPort int port) {
		this.port = port;
	}

	@Test
	void upgradeWhenValidSwitchesToHttp2() throws IOException {
		try (RawConnection connection = new RawConnection(port)) {
			connection.send(RawConnection.request("GET", "/livez", UPGRADE, CONNECTION, SETTINGS));
			Response switching = connection.readHead();
			assertThat(switching.status()).isEqualTo(101);
			assertThat(switching.header("Upgrade")).hasValue("h2c");
			try (Http2Connection upgraded = Http2Connection.upgrade(connection)) {
				assertThat(upgraded.read(1).body()).contains("UP");
				assertThat(upgraded.read(upgraded.request(RawConnection.request("GET", "/api/prompt"))).status())
					.isEqualTo(200);
			}
		}
	}

	/** Upgrade requests that have a body, no settings, or more than one. */
	@ParameterizedTest
	@ValueSource(strings = { UPGRADE + "\r\nConnection: Upgrade",
			UPGRADE + "\r\n" + CONNECTION + "\r\n" + SETTINGS + "\r\n" + SETTINGS,
			UPGRADE + "\r\n" + CONNECTION + "\r\n" + SETTINGS + "\r\nContent-Length: 3\r\n\r\nabc",
			UPGRADE + "\r\n" + CONNECTION + "\r\n" + SETTINGS + "\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0" })
	void upgradeWhenIgnoredIsAnsweredOverHttp1(String rest) throws IOException {
		try (RawConnection connection = new RawConnection(port)) {
			connection.send("GET /livez HTTP/1.1\r\nHost: localhost\r\n" + rest + "\r\n\r\n");
			Response response = connection.read();
			assertThat(response.status()).isEqualTo(200);
			assertThat(response.body()).contains("UP");
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "%%%", "AAA", "AAQA", "AAT_____", "AAUAAAAA" })
	void upgradeWhenSettingsAreMalformedIsBadRequest(String settings) throws IOException {
		Response response = RawConnection.get(port, "/livez", UPGRADE, CONNECTION, "HTTP2-Settings: " + settings);
		assertThat(response.status()).isEqualTo(400);
		GatewayErrors.assertError(response, "BAD_REQUEST");
	}

	@ParameterizedTest
	@CsvSource({ "/api/prompt, 405", "/livez, 405", "/nope, 404", "/api/prompt/events, 405" })
	void responseWhenBodyIsUnreadIsComplete(String path, int status) throws IOException {
		try (Http2Connection connection = new Http2Connection(port)) {
			int stream = connection.nextStream();
			connection.send(Http2Connection.HEADERS, Http2Connection.END_HEADERS, stream,
					Http2Connection.head(RawConnection.request("POST", path).strip()));
			connection.send(Http2Connection.DATA, 0, stream, new byte[1_000]);
			Response response = connection.read(stream);
			assertThat(response.status()).isEqualTo(status);
			assertThat(response.body()).contains("\"message\"");
			connection.send(Http2Connection.DATA, Http2Connection.END_STREAM, stream, new byte[1_000]);
			assertThat(connection.read(connection.request(RawConnection.request("GET", "/livez"))).status())
				.isEqualTo(200);
		}
	}

	@Test
	void streamWhenBodyDoesNotEndIsReset() throws IOException {
		try (Http2Connection connection = new Http2Connection(port)) {
			int stream = connection.nextStream();
			connection.send(Http2Connection.HEADERS, Http2Connection.END_HEADERS, stream,
					Http2Connection.head(RawConnection.request("POST", "/api/prompt").strip()));
			assertThat(connection.read(stream).status()).isEqualTo(405);
			assertThat(connection.awaitReset(stream)).isEqualTo(ErrorCode.NO_ERROR.code);
			assertThat(connection.read(connection.request(RawConnection.request("GET", "/livez"))).status())
				.isEqualTo(200);
		}
	}

	@ParameterizedTest
	@CsvSource({ "X-Upper, a", "connection, close", "transfer-encoding, chunked", "te, gzip", ":path, /livez",
			":unknown, a", "host, elsewhere" })
	void malformedHeadersFailTheirStreamOnly(String name, String value) throws IOException {
		try (Http2Connection connection = new Http2Connection(port)) {
			int stream = connection.nextStream();
			ByteArrayOutputStream head = new ByteArrayOutputStream();
			head.writeBytes(Http2Connection.head(RawConnection.request("GET", "/livez").strip()));
			Http2Connection.field(head, name, value);
			connection.send(Http2Connection.HEADERS, Http2Connection.END_HEADERS | Http2Connection.END_STREAM, stream,
					head.toByteArray());
			Response response = connection.read(stream);
			if (response.status() != 200) {
				assertThat(response.status()).isEqualTo(400);
				GatewayErrors.assertError(response, "BAD_REQUEST");
			}
			assertThat(connection.read(connection.request(RawConnection.request("GET", "/livez"))).status())
				.isEqualTo(200);
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "GET /api/prompt", "HEAD /api/prompt", "OPTIONS /api/prompt", "OPTIONS *", "POST /livez",
			"TRACE /livez", "GET /nope", "GET /", "GET /v3/api-docs", "GET /api/prompt/history" })
	void responseHasNoConnectionSpecificHeaders(String request) throws IOException {
		Response response = Http2Connection.exchange(port, request + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
		assertThat(response.headerNames()).isNotEmpty()
			.doesNotContainAnyElementsOf(
					List.of("connection", "keep-alive", "transfer-encoding", "upgrade", "alt-svc", "server"));
		if (response.status() == 204) {
			assertThat(response.header("content-length")).isEmpty();
		}
	}

	@Test
	void connectIsBadRequest() throws IOException {
		try (Http2Connection connection = new Http2Connection(port)) {
			int stream = connection.nextStream();
			ByteArrayOutputStream head = new ByteArrayOutputStream();
			Http2Connection.field(head, ":method", "CONNECT");
			Http2Connection.field(head, ":authority", "localhost:443");
			connection.send(Http2Connection.HEADERS, Http2Connection.END_HEADERS, stream, head.toByteArray());
			Response response = connection.read(stream);
			assertThat(response.status()).isEqualTo(400);
			GatewayErrors.assertError(response, "BAD_REQUEST");
		}
	}

}
