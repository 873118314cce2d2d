package dev.comfygateway.events;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.comfygateway.support.TestGateway;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests of the heap of this process while events are streamed for eight hours of
 * simulated time.
 */
class EventsHeapTests {

	private static final Duration FRESH_FOR = Duration.ofSeconds(5);

	private static final long HALF_A_MIB = 512 * 1024;

	private final AtomicInteger requests = new AtomicInteger();

	private HttpServer upstream;

	private TestGateway gateway;

	@BeforeEach
	void start() throws IOException {
		// Unlike the simulator, it records no requests
		upstream = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
		upstream.createContext("/api/prompt", this::answer);
		upstream.start();
		gateway = TestGateway.start("comfy.base-url=http://127.0.0.1:" + upstream.getAddress().getPort(),
				"gateway.fresh-for=" + FRESH_FOR.toSeconds() + "s");
	}

	@AfterEach
	void stop() {
		gateway.close();
		upstream.stop(0);
	}

	@Test
	void eightHoursOfChangesDoNotGrowTheHeap() throws Exception {
		try (EventReader one = EventReader.connect(gateway.port(), "");
				EventReader other = EventReader.connect(gateway.port(), "?until=0")) {
			List<EventReader> readers = List.of(one, other);
			for (EventReader reader : readers) {
				reader.next();
				assertThat(reader.next()).containsEntry("data", body(1));
			}
			advance(Duration.ofHours(1), readers);
			long afterOneHour = usedHeap();
			advance(Duration.ofHours(7), readers);
			assertThat(requests).hasValue((int) Duration.ofHours(8).dividedBy(FRESH_FOR) + 1);
			assertThat(usedHeap() - afterOneHour).as("growth of the heap in bytes").isLessThan(HALF_A_MIB);
		}
	}

	/** Advances the time, with a changed answer in each window. */
	private void advance(Duration time, List<EventReader> readers) throws InterruptedException {
		for (long windows = time.dividedBy(FRESH_FOR); windows > 0; windows--) {
			gateway.time().advance(FRESH_FOR);
			gateway.refresh().startIfDue(false);
			for (EventReader reader : readers) {
				assertThat(reader.next()).containsEntry("data", body(requests.get()));
			}
		}
	}

	/** Responds with an increasing number. */
	private void answer(HttpExchange exchange) throws IOException {
		try (exchange) {
			byte[] body = body(requests.incrementAndGet()).getBytes(StandardCharsets.UTF_8);
			exchange.getResponseHeaders().set("Content-Type", "application/json");
			exchange.sendResponseHeaders(200, body.length);
			exchange.getResponseBody().write(body);
		}
	}

	private static String body(int queueRemaining) {
		return "{\"exec_info\":{\"queue_remaining\":%s}}".formatted(queueRemaining);
	}

	private static long usedHeap() {
		System.gc();
		return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
	}

}
