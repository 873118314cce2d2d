package dev.comfygateway.flow;

import dev.comfygateway.support.GatewayErrors;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RawConnection.Response;
import dev.comfygateway.support.RunningGateway;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.web.server.LocalServerPort;

import static org.assertj.core.api.Assertions.assertThat;

/** Tests of request bodies, which no endpoint reads, and of non-standard line endings. */
@RunningGateway
class UnreadBodyTests {

	private static final int SIZE = 300_000;

	private static final String CHUNK = "2710\r\n" + "x".repeat(10_000) + "\r\n";

	private final int port;

	UnreadBodyTests(@LocalServerPort int port) {
		this.port = port;
	}

	@Test
	void errorWhenBodyIsUnreadIsComplete() throws IOException {
		String request = RawConnection.request("POST", "/api/prompt", "Content-Length: " + SIZE) + "x".repeat(SIZE);
		assertErrorIsReceivedFiftyTimes(request);
	}

	@Test
	void errorWhenChunkedBodyIsUnreadIsComplete() throws IOException {
		String request = RawConnection.request("POST", "/api/prompt", "Transfer-Encoding: chunked") + CHUNK.repeat(30)
				+ "0\r\n\r\n";
		assertErrorIsReceivedFiftyTimes(request);
	}

	private void assertErrorIsReceivedFiftyTimes(String request) throws IOException {
		for (int i = 0; i < 50; i++) {
			assertMethodNotAllowed(RawConnection.exchange(port, request));
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "/api/prompt", "/api/prompt/events?until=9", "/livez" })
	void smallTrailersAreIgnored(String path) throws IOException {
		assertThat(RawConnection.exchange(port, withTrailers(path, 3)).status()).isEqualTo(200);
	}

	@ParameterizedTest
	@ValueSource(strings = { "/api/prompt", "/api/prompt/events", "/livez", "/nope" })
	void errorWhenTrailersAreLarge(String path) throws IOException {
		Response response = RawConnection.exchange(port, withTrailers(path, 2_000));
		assertThat(response.status()).isEqualTo(431);
		GatewayErrors.assertError(response, "REQUEST_HEADER_FIELDS_TOO_LARGE");
	}

	private static String withTrailers(String path, int trailers) {
		return RawConnection.request("GET", path, "Transfer-Encoding: chunked") + "0\r\n" + "a:\r\n".repeat(trailers)
				+ "\r\n";
	}

	@Test
	void errorsWhenBodiesAreSentConcurrentlyAreComplete() throws IOException {
		String head = RawConnection.request("POST", "/api/prompt", "Content-Length: " + SIZE);
		List<RawConnection> callers = new ArrayList<>();
		try {
			for (int i = 0; i < 50; i++) {
				callers.add(new RawConnection(port).send(head));
			}
			for (RawConnection caller : callers) {
				caller.send("x".repeat(SIZE));
			}
			for (RawConnection caller : callers) {
				assertMethodNotAllowed(caller.read());
			}
		}
		finally {
			for (RawConnection caller : callers) {
				caller.close();
			}
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "Content-Length: 300000", "Transfer-Encoding: chunked" })
	void errorWhenBodyNeverArrivesIsSentAndClosesConnection(String bodyHeader) throws IOException {
		try (RawConnection caller = new RawConnection(port)) {
			assertMethodNotAllowed(caller.send(RawConnection.request("POST", "/api/prompt", bodyHeader)).read());
			assertThat(caller.readToEnd()).isEmpty();
		}
	}

	@ParameterizedTest
	@CsvSource({ "POST, /api/prompt, 405", "POST, /api/prompt/events, 405", "POST, /api/prompt/history, 405",
			"TRACE, /api/prompt, 405", "TRACE, /api/prompt/events, 405", "PUT, /nope, 404", "GET, /api/prompt, 200",
			"GET, /api/prompt/events?until=x, 400", "HEAD, /api/prompt/events, 200", "OPTIONS, *, 204",
			"OPTIONS, /api/prompt/events, 204", "GET, /livez, 200" })
	void connectionWhenBodyFollowsResponseIsNotReset(String method, String target, int status) throws IOException {
		try (RawConnection caller = new RawConnection(port)) {
			caller.send(RawConnection.request(method, target, "Content-Length: " + SIZE));
			Response response = method.equals("HEAD") ? caller.readHead() : caller.read();
			for (int i = 0; i < 30; i++) {
				caller.send("x".repeat(SIZE / 30));
			}
			assertThat(response.status()).isEqualTo(status);
			assertThat(caller.readToEnd()).isEmpty();
		}
	}

	@Test
	void errorWhenBodyIsCompleteKeepsConnection() throws IOException {
		try (RawConnection caller = new RawConnection(port)) {
			for (int i = 0; i < 3; i++) {
				assertMethodNotAllowed(
						caller.send(RawConnection.request("POST", "/api/prompt", "Content-Length: 3") + "abc").read());
				assertThat(caller.send(RawConnection.request("GET", "/nope")).read().status()).isEqualTo(404);
			}
			assertThat(caller.send(RawConnection.request("GET", "/api/prompt")).read().status()).isEqualTo(200);
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "GET /api/prompt HTTP/1.1\nHost: localhost\n\n",
			"GET /api/prompt HTTP/1.1\r\nHost: localhost\n\n", "GET /api/prompt HTTP/1.1\nHost: localhost\r\n\r\n",
			"GET /api/prompt HTTP/1.1\r\nHost: localhost\r\n\n", "GET /api/prompt HTTP/1.1\r\nHost: localhost\n\r\n",
			"GET /api/prompt HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n",
			"GET /api/prompt HTTP/1.1\r\nHost: localhost\r\nX: a\n\tb\r\n\r\n" })
	void responseWhenLineEndingsAreNonStandardIsOkOrBadRequest(String request) throws IOException {
		Response response = RawConnection.exchange(port, request);
		if (response.status() != 200) {
			assertThat(response.status()).isEqualTo(400);
			GatewayErrors.assertError(response, "BAD_REQUEST");
		}
	}

	private static void assertMethodNotAllowed(Response response) {
		assertThat(response.status()).isEqualTo(405);
		GatewayErrors.assertError(response, "METHOD_NOT_ALLOWED");
	}

}
