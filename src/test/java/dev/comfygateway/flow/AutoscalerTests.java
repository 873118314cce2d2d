package dev.comfygateway.flow;

import dev.comfygateway.simulator.Behaviour;
import dev.comfygateway.simulator.Hold;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.support.FakeTime;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RawConnection.Response;
import dev.comfygateway.support.RunningGateway;
import java.io.IOException;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalServerPort;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests with KEDA's {@code metrics-api} scaler as the caller. The scaler needs status 200
 * and a JSON number within its timeout. If the number is unknown, it needs an error
 * status instead of a zero or an expired number.
 */
@RunningGateway
class AutoscalerTests {

	private final int port;

	private final SimulatedComfyCloud upstream;

	private final FakeTime time;

	@Autowired
	AutoscalerTests(@LocalServerPort int port, SimulatedComfyCloud upstream, FakeTime time) {
		this.port = port;
		this.upstream = upstream;
		this.time = time;
	}

	@BeforeEach
	void setQueue() {
		upstream.queueRemaining(7);
	}

	@Test
	void numberWhenNothingIsCachedIsFromUpstream() throws IOException {
		assertThat(number(query())).isEqualTo(7);
	}

	@Test
	void numberWhenFreshIsFromCache() throws IOException {
		query();
		Hold hold = upstream.hold();
		try {
			assertThat(number(query())).isEqualTo(7);
		}
		finally {
			hold.release();
		}
	}

	@Test
	void numberWhenStaleDoesNotWaitForUpstream() throws IOException {
		query();
		time.advance(Duration.ofSeconds(4));
		Hold hold = upstream.hold();
		try {
			assertThat(number(query())).isEqualTo(7);
			hold.awaitArrival(1);
			assertThat(number(query())).isEqualTo(7);
		}
		finally {
			hold.release();
		}
	}

	@ParameterizedTest
	@CsvSource({ "5, 200", "31, 200", "33, 429" })
	void numberWhenUpstreamFailsIsServedUntilStaleIfErrorEnds(int seconds, int status) throws IOException {
		query();
		upstream.behave(Behaviour.LIMIT);
		time.advance(Duration.ofSeconds(seconds));
		Response response = query();
		assertThat(response.status()).isEqualTo(status);
		if (status == 200) {
			assertThat(number(response)).isEqualTo(7);
		}
	}

	@Test
	void numberWhenCoolingDownDoesNotWaitForUpstream() throws IOException {
		query();
		upstream.behave(Behaviour.LIMIT);
		time.advance(Duration.ofSeconds(6));
		query();
		Hold hold = upstream.hold();
		try {
			assertThat(number(query())).isEqualTo(7);
		}
		finally {
			hold.release();
		}
	}

	@ParameterizedTest
	@MethodSource("failures")
	void statusWhenNumberIsUnknownIsError(Behaviour failure) throws IOException {
		upstream.behave(failure);
		Response response = query();
		assertThat(response.status()).isGreaterThanOrEqualTo(400);
		assertThat(queueRemaining(response).isMissingNode()).isTrue();
	}

	static Stream<Behaviour> failures() {
		return Stream.of(Behaviour.REFUSE, Behaviour.FORBID, Behaviour.LIMIT, Behaviour.FAIL, Behaviour.UNAVAILABLE,
				Behaviour.RUBBISH, Behaviour.CLOSE, Behaviour.answer(200, "{\"exec_info\":{\"queue_remaining\":null}}"),
				Behaviour.answer(200, "{\"exec_info\":{\"queue_remaining\":\"7\"}}"),
				Behaviour.answer(200, "{\"exec_info\":{\"queue_remaining\":-1}}"));
	}

	/** The field is optional in the contract. If it is absent, KEDA finds no number. */
	@ParameterizedTest
	@CsvSource(delimiter = '|', value = { "{}", "{\"exec_info\":{}}" })
	void numberWhenUpstreamOmitsItIsMissing(String body) throws IOException {
		upstream.behave(Behaviour.answer(200, body));
		Response response = query();
		assertThat(response.body()).isEqualTo(body);
		assertThat(queueRemaining(response).isMissingNode()).isTrue();
	}

	/** Sends KEDA's request, with the headers that Go's client adds. */
	private Response query() throws IOException {
		return RawConnection.get(port, "/api/prompt", "User-Agent: Go-http-client/1.1", "Accept-Encoding: gzip");
	}

	private static long number(Response response) {
		assertThat(response.status()).isEqualTo(200);
		JsonNode number = queueRemaining(response);
		assertThat(number.isIntegralNumber()).isTrue();
		return number.asLong();
	}

	private static JsonNode queueRemaining(Response response) {
		return new JsonMapper().readTree(response.body()).at("/exec_info/queue_remaining");
	}

}
