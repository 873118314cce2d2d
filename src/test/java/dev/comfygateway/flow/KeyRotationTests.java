package dev.comfygateway.flow;

import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.support.FakeTime;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RawConnection.Response;
import dev.comfygateway.support.RunningGateway;
import dev.comfygateway.support.SecretVolume;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalManagementPort;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.test.context.TestPropertySource;

import static org.assertj.core.api.Assertions.assertThat;

@RunningGateway
@TestPropertySource(properties = "comfy.api-key=")
class KeyRotationTests {

	private static final String OLD_KEY = "key-of-the-old-account";

	private static final String NEW_KEY = "key-of-the-new-account";

	private static final long OLD_QUEUE = 111;

	private static final long NEW_QUEUE = 222;

	@TempDir
	private static Path volume;

	private final int port;

	private final int managementPort;

	private final SimulatedComfyCloud upstream;

	private final FakeTime time;

	@Autowired
	KeyRotationTests(@LocalServerPort int port, @LocalManagementPort int managementPort, SimulatedComfyCloud upstream,
			FakeTime time) {
		this.port = port;
		this.managementPort = managementPort;
		this.upstream = upstream;
		this.time = time;
	}

	@DynamicPropertySource
	static void keyFile(DynamicPropertyRegistry properties) throws IOException {
		secret().write(OLD_KEY);
		properties.add("comfy.api-key-file", secret()::entry);
	}

	private static SecretVolume secret() {
		return new SecretVolume(volume);
	}

	@BeforeEach
	void reset() throws IOException {
		upstream.acceptKey(OLD_KEY);
		upstream.queueRemaining(OLD_QUEUE);
		secret().write(OLD_KEY);
		time.advance(Duration.ofDays(1));
		// A 401 makes the gateway reload the key file
		assertThat(get().body()).contains(":" + OLD_QUEUE);
	}

	@Test
	void answerWhenKeyIsReplacedNeverReturnsToOldAccount() throws Exception {
		AtomicBoolean running = new AtomicBoolean(true);
		Semaphore newAnswers = new Semaphore(0);
		try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
			List<Future<List<String>>> results = new ArrayList<>();
			for (int i = 0; i < 4; i++) {
				results.add(executor.submit(() -> {
					List<String> bodies = new ArrayList<>();
					try (RawConnection caller = new RawConnection(port)) {
						while (running.get()) {
							Response response = caller.send(RawConnection.request("GET", "/api/prompt")).read();
							assertThat(response.status()).isEqualTo(200);
							if (bodies.isEmpty() || !bodies.getLast().equals(response.body())) {
								bodies.add(response.body());
							}
							if (response.body().contains(":" + NEW_QUEUE)) {
								newAnswers.release();
							}
						}
					}
					return bodies;
				}));
			}
			upstream.acceptKey(NEW_KEY);
			upstream.queueRemaining(NEW_QUEUE);
			secret().write(NEW_KEY);
			try {
				assertThat(newAnswers.tryAcquire(100, 20, TimeUnit.SECONDS)).isTrue();
			}
			finally {
				running.set(false);
			}
			for (Future<List<String>> bodies : results) {
				assertThat(bodies.get()).last().asString().contains(":" + NEW_QUEUE);
				assertThat(bodies.get()).hasSizeLessThanOrEqualTo(2);
			}
		}
		assertThat(upstream.received().getLast().header("X-API-Key")).containsExactly(NEW_KEY);
		assertThat(upstream.maxInFlight()).isEqualTo(1);
	}

	@Test
	void answerWhenOldKeyIsRefusedAfterRotationIsOfNewAccount() throws IOException {
		time.advance(Duration.ofSeconds(1));
		upstream.acceptKey(NEW_KEY);
		upstream.queueRemaining(NEW_QUEUE);
		secret().write(NEW_KEY);
		Response response = get("Cache-Control: no-cache");
		assertThat(response.status()).isEqualTo(200);
		assertThat(response.body()).contains(":" + NEW_QUEUE);
	}

	@Test
	void keyWhenFileBecomesUnusableIsKept() throws IOException {
		secret().write("two\nlines");
		upstream.acceptKey(NEW_KEY);
		time.advance(Duration.ofDays(1));
		assertThat(get().status()).isEqualTo(401);
		assertThat(upstream.received().getLast().header("X-API-Key")).containsExactly(OLD_KEY);
		assertThat(keyState("unreadable")).isEqualTo("1.0");
		assertThat(keyState("rejected")).isEqualTo("1.0");
		assertThat(keyState("ok")).isEqualTo("0.0");
	}

	@Test
	void keyWhenFileIsReadableAgainIsUsed() throws IOException {
		secret().write("");
		upstream.acceptKey(NEW_KEY);
		time.advance(Duration.ofDays(1));
		assertThat(get().status()).isEqualTo(401);
		secret().write(NEW_KEY);
		time.advance(Duration.ofMinutes(1));
		assertThat(get().status()).isEqualTo(200);
		assertThat(keyState("unreadable")).isEqualTo("0.0");
		assertThat(keyState("rejected")).isEqualTo("0.0");
		assertThat(keyState("ok")).isEqualTo("1.0");
	}

	private String keyState(String state) throws IOException {
		String gauge = "comfy_gateway_api_key_state{state=\"%s\"} ".formatted(state);
		return RawConnection.get(managementPort, "/actuator/prometheus")
			.body()
			.lines()
			.filter(line -> line.startsWith(gauge))
			.findFirst()
			.orElseThrow()
			.substring(gauge.length());
	}

	private Response get(String... headers) throws IOException {
		return RawConnection.get(port, "/api/prompt", headers);
	}

}
