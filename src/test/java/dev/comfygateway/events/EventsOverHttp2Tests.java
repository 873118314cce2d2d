package dev.comfygateway.events;

import dev.comfygateway.support.Http2Connection;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.TestGateway;
import java.io.IOException;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.eclipse.jetty.http2.ErrorCode;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** Tests of listeners that share an HTTP/2 connection. */
class EventsOverHttp2Tests {

	private static final String LISTEN = RawConnection.request("GET", "/api/prompt/events");

	/** Smaller than a few events. */
	private static final int SMALL_WINDOW = 600;

	private TestGateway gateway;

	@BeforeEach
	void start() {
		gateway = TestGateway.start("server.http2.enabled=true");
		gateway.upstream().queueRemaining(3);
	}

	@AfterEach
	void stop() {
		gateway.close();
	}

	@Test
	void eventIsSentToAllListenersImmediately() throws IOException {
		try (Http2Connection caller = new Http2Connection(gateway.port())) {
			int one = caller.request(LISTEN);
			int other = caller.request(LISTEN);
			caller.awaitText(one, "\"queue_remaining\":3");
			caller.awaitText(other, "\"queue_remaining\":3");
			change(4);
			caller.awaitText(one, "\"queue_remaining\":4");
			caller.awaitText(other, "\"queue_remaining\":4");
		}
	}

	@Test
	void listenerWhenItResetsItsStreamIsRemovedWithoutAWrite() throws IOException {
		try (Http2Connection caller = new Http2Connection(gateway.port())) {
			int one = caller.request(LISTEN);
			int other = caller.request(LISTEN);
			caller.awaitText(one, "\"queue_remaining\":3");
			caller.awaitText(other, "\"queue_remaining\":3");
			caller.reset(one);
			awaitMetric("comfy_gateway_listeners", 1);
			change(4);
			caller.awaitText(other, "\"queue_remaining\":4");
		}
		awaitMetric("comfy_gateway_listeners", 0);
	}

	@Test
	void listenerWhenItDoesNotReadIsDroppedAndOthersOfItsConnectionAreKept() throws IOException {
		try (Http2Connection caller = new Http2Connection(gateway.port(), 20_000, SMALL_WINDOW)) {
			int silent = caller.requestWithoutReading(LISTEN);
			int other = caller.request(LISTEN);
			caller.awaitText(other, "\"queue_remaining\":3");
			int number = 100;
			while (metric("comfy_gateway_listeners_dropped_total") == 0) {
				number++;
				assertThat(number).isLessThan(150);
				change(number);
				caller.awaitText(other, "\"queue_remaining\":" + number);
			}
			assertThat(caller.awaitReset(silent)).isEqualTo(ErrorCode.CANCEL_STREAM_ERROR.code);
			awaitMetric("comfy_gateway_listeners", 1);
			change(4);
			caller.awaitText(other, "\"queue_remaining\":4");
		}
	}

	@Test
	void streamsWhenTheGatewayShutsDownEnd() throws IOException {
		try (Http2Connection caller = new Http2Connection(gateway.port())) {
			int stream = caller.request(LISTEN);
			caller.awaitText(stream, "\"queue_remaining\":3");
			gateway.close();
			assertThat(caller.read(stream).status()).isEqualTo(200);
			assertThat(caller.awaitEnd()).isEqualTo(ErrorCode.NO_ERROR.code);
		}
	}

	private void change(int number) {
		gateway.upstream().queueRemaining(number);
		gateway.time().advance(Duration.ofSeconds(2));
		gateway.refresh().startIfDue(false);
	}

	private void awaitMetric(String name, int value) {
		Awaitility.await().until(() -> metric(name) == value);
	}

	private double metric(String name) throws IOException {
		return RawConnection.get(gateway.managementPort(), "/actuator/prometheus")
			.body()
			.lines()
			.filter(line -> line.startsWith(name + " "))
			.mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
			.sum();
	}

}
