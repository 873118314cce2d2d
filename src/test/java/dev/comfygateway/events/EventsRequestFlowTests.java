package dev.comfygateway.events;

import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RawConnection.Response;
import dev.comfygateway.support.TestGateway;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

/** Tests of stream requests whose responses do not depend on earlier requests. */
class EventsRequestFlowTests {

	private static final String EVENTS = "/api/prompt/events";

	private static final TestGateway gateway = TestGateway.start("gateway.allowed-origins=https://a.example");

	@AfterAll
	static void stop() {
		gateway.close();
	}

	@ParameterizedTest
	@ValueSource(strings = { "-1", "", "soon", "1.5", "9223372036854775808", "%", "1&until=2", "%31x" })
	void untilWhenNotANumberIsRejected(String until) throws IOException {
		Response response = RawConnection.get(gateway.port(), EVENTS + "?until=" + until);
		assertThat(response.status()).isEqualTo(400);
		assertThat(response.body()).startsWith("{\"code\":\"BAD_REQUEST\"");
	}

	/** Behind these handlers, a stream would be closed as a response that is not read. */
	@Test
	void streamsBypassTheResponseLimits() {
		assertThat(gateway.handlers()).containsSubsequence("EventsHandler", "BulkheadHandler", "SlowReaderHandler");
		assertThat(gateway.handlers()).containsSubsequence("PromptAccelerator", "BulkheadHandler", "SlowReaderHandler");
	}

	@Test
	void otherMethodsGetTheirUsualResponses() throws IOException {
		Response head = RawConnection.exchange(gateway.port(), RawConnection.request("HEAD", EVENTS));
		assertThat(head.status()).isEqualTo(200);
		assertThat(head.header("Content-Type")).hasValue("text/event-stream");
		Response options = RawConnection.exchange(gateway.port(), RawConnection.request("OPTIONS", EVENTS));
		assertThat(options.status()).isEqualTo(204);
		assertThat(options.header("Allow")).hasValue("GET, HEAD, OPTIONS");
		Response post = RawConnection.exchange(gateway.port(), RawConnection.request("POST", EVENTS));
		assertThat(post.status()).isEqualTo(405);
		assertThat(post.header("Allow")).hasValue("GET, HEAD, OPTIONS");
	}

	@Test
	void pagesOfAllowedOriginsMaySubscribe() throws Exception {
		try (EventReader reader = EventReader.connect(gateway.port(), "", "Origin: https://a.example")) {
			assertThat(reader.head()).contains("Access-Control-Allow-Origin: https://a.example");
		}
		try (EventReader reader = EventReader.connect(gateway.port(), "", "Origin: https://b.example")) {
			assertThat(reader.head()).noneMatch(line -> line.startsWith("Access-Control"));
		}
	}

}
