package dev.comfygateway.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.comfygateway.simulator.Behaviour;
import dev.comfygateway.simulator.Hold;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.upstream.UpstreamFailure.Reason;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.WebClient;
import reactor.core.Disposable;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Operators;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import reactor.test.scheduler.VirtualTimeScheduler;
import reactor.util.context.Context;

/** Tests of connections that fail and of responses that do not end. */
class ComfyCloudClientConnectionTests {

	private final VirtualTimeScheduler time = VirtualTimeScheduler.create();

	private SimulatedComfyCloud upstream;

	private ClientFixture fixture;

	@BeforeEach
	void start() {
		upstream = SimulatedComfyCloud.start(0, ClientFixture.KEY);
		fixture = ClientFixture.of(upstream.baseUrl());
	}

	@AfterEach
	void stop() {
		upstream.close();
		time.dispose();
	}

	@Test
	void fetchWhenClosedWithoutResponseConnectsExactlyTwice() {
		upstream.behave(Behaviour.CLOSE);
		assertFailsTwice(Reason.CONNECTION_TERMINATED);
	}

	@Test
	void fetchWhenResetWithoutResponseConnectsExactlyTwice() {
		upstream.behave(Behaviour.RESET);
		assertFailsTwice(Reason.CONNECTION_TERMINATED);
	}

	@Test
	void fetchWhenClosedWithoutResponseOnceReturnsTheAnswer() {
		upstream.behave(Behaviour.CLOSE, Behaviour.NORMAL);
		assertThat(fixture.fetch()).isInstanceOf(UpstreamAnswer.class);
		assertThat(fixture.attempts()).isEqualTo(Map.of("unreachable", 1L, "ok", 1L));
	}

	@Test
	void fetchWhenIdleConnectionIsClosedOnRequestReturnsTheAnswer() {
		upstream.behave(Behaviour.NORMAL, Behaviour.CLOSE, Behaviour.NORMAL);
		fixture.fetch();
		assertThat(fixture.fetch()).isInstanceOf(UpstreamAnswer.class);
		assertThat(upstream.received()).hasSize(3);
		assertThat(upstream.connections()).isEqualTo(2);
	}

	@Test
	void fetchWhenIdleConnectionWasClosedReturnsTheAnswer() {
		upstream.behave(Behaviour.normalThenClose());
		fixture.fetch();
		assertThat(fixture.fetch()).isInstanceOf(UpstreamAnswer.class);
		assertThat(upstream.received()).hasSize(2);
	}

	@ParameterizedTest
	@ValueSource(strings = { "HTT", "\r\n\r\n\r\n\r\n", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\n",
			"HTTP/1.1 200 OK\r\nContent-Type: appl", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" })
	void fetchWhenClosedInTheHeadersFailsAfterOneAttempt(String partialHeaders) {
		upstream.behave(Behaviour.raw(partialHeaders.getBytes(StandardCharsets.US_ASCII)));
		assertFailsOnce(Reason.RESPONSE_INCOMPLETE, "invalid");
	}

	@Test
	void fetchWhenCutOffInTheBodyFailsAfterOneAttempt() {
		upstream.behave(Behaviour.CUT);
		assertFailsOnce(Reason.RESPONSE_INCOMPLETE, "invalid");
	}

	@Test
	void fetchWhenResetAfterTheHeadersFailsAfterOneAttempt() {
		upstream.behave(Behaviour.RESET_AFTER_HEADERS);
		assertFailsOnce(Reason.RESPONSE_INCOMPLETE, "invalid");
	}

	@ParameterizedTest
	@ValueSource(strings = { "5\r\n{\"exe", "5\r\n{\"exec", "26\r\n{}\r\n" })
	void fetchWhenCutOffBetweenChunksFailsAfterOneAttempt(String body) {
		upstream.behave(Behaviour
			.raw(("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
				.getBytes(StandardCharsets.US_ASCII)));
		assertThat(fixture.failure().reason()).isIn(Reason.RESPONSE_INCOMPLETE, Reason.PROTOCOL_ERROR);
		assertThat(upstream.received()).hasSize(1);
	}

	@ParameterizedTest
	@ValueSource(strings = { "SSH-2.0-OpenSSH_9.2p1\r\n", "220 mail.example ESMTP\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n",
			"HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 000 No\r\nContent-Length: 0\r\n\r\n",
			"HTTP/1.1\r\n\r\n", "<html></html>\r\n\r\n", "{\"exec_info\":{}}\r\n\r\n",
			"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n" })
	void fetchWhenResponseIsNotHttpFailsAfterOneAttempt(String text) {
		upstream.behave(Behaviour.raw(text.getBytes(StandardCharsets.US_ASCII)));
		assertFailsOnce(Reason.PROTOCOL_ERROR, "invalid");
	}

	@ParameterizedTest
	@ValueSource(strings = { "nonsense\r\n", "-5\r\n{}", "zz\r\n{}\r\n0\r\n\r\n" })
	void fetchWhenChunksAreMalformedFailsAfterOneAttempt(String body) {
		upstream.behave(Behaviour
			.raw(("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
				.getBytes(StandardCharsets.US_ASCII)));
		assertThat(fixture.failure().reason()).isIn(Reason.RESPONSE_INCOMPLETE, Reason.PROTOCOL_ERROR);
		assertThat(upstream.received()).hasSize(1);
	}

	@Test
	void fetchWhenHeadersNeverEndFails() {
		upstream
			.behave(Behaviour.raw(("HTTP/1.1 200 OK\r\n" + "X-Filler: %s\r\n".formatted("x".repeat(1000)).repeat(1000))
				.getBytes(StandardCharsets.US_ASCII)));
		assertFailsOnce(Reason.PROTOCOL_ERROR, "invalid");
	}

	@Test
	void fetchWhenRefusedFailsAfterTwoAttempts() {
		upstream.close();
		assertThat(fixture.failure().reason()).isEqualTo(Reason.CONNECTION_REFUSED);
		assertThat(fixture.attempts()).isEqualTo(Map.of("unreachable", 2L));
	}

	@Test
	void fetchWhenHostHasNoAddressFailsAfterOneAttempt() {
		ClientFixture nowhere = ClientFixture.of("https://nonexistent.invalid");
		assertThat(nowhere.failure().reason()).isEqualTo(Reason.DNS_ERROR);
		assertThat(nowhere.attempts()).isEqualTo(Map.of("unreachable", 1L));
	}

	@Test
	void fetchWhenConnectionIsNotAcceptedFailsAfterOneAttempt() throws IOException {
		try (ServerSocket full = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
			List<SocketChannel> waiting = new ArrayList<>();
			try {
				for (int i = 0; i < 8; i++) {
					SocketChannel channel = SocketChannel.open();
					waiting.add(channel);
					channel.configureBlocking(false);
					channel.connect(new InetSocketAddress(full.getInetAddress(), full.getLocalPort()));
				}
				long before = OpenSockets.to(full.getLocalPort());
				ClientFixture connectingClient = ClientFixture.of(
						new ComfyProperties(ClientFixture.KEY, null, "http://127.0.0.1:" + full.getLocalPort(),
								ComfyProperties.Auth.API_KEY, false, Duration.ofMillis(100), ClientFixture.DEADLINE),
						Schedulers.parallel());
				for (int i = 0; i < 12; i++) {
					assertThat(connectingClient.failure().reason()).isEqualTo(Reason.CONNECTION_TIMEOUT);
				}
				assertThat(connectingClient.attempts()).isEqualTo(Map.of("timeout", 12L));
				await().atMost(Duration.ofSeconds(1)).until(() -> OpenSockets.to(full.getLocalPort()) <= before + 1);
			}
			finally {
				for (SocketChannel channel : waiting) {
					channel.close();
				}
			}
		}
	}

	@Test
	void fetchWhenStalledFailsAtTheDeadline() {
		upstream.behave(Behaviour.STALL);
		assertTimesOut();
	}

	@Test
	void fetchWhenStalledInTheHeadersFailsAtTheDeadline() {
		upstream.behave(Behaviour.rawThenStall("HTTP/1.1 200 OK\r\nContent-".getBytes(StandardCharsets.US_ASCII)));
		assertTimesOut();
	}

	@Test
	void fetchWhenStalledInTheBodyFailsAtTheDeadline() {
		upstream.behave(Behaviour
			.rawThenStall("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 38\r\n\r\n{\"exec_"
				.getBytes(StandardCharsets.US_ASCII)));
		assertTimesOut();
	}

	@Test
	void fetchWhenStalledInTheBodyOfAnErrorFailsAtTheDeadline() {
		upstream.behave(Behaviour
			.rawThenStall("HTTP/1.1 503 Busy\r\nContent-Type: application/json\r\nContent-Length: 38\r\n\r\n{\"code"
				.getBytes(StandardCharsets.US_ASCII)));
		assertTimesOut();
	}

	@Test
	void fetchWhenResponseIsTooSlowFailsAtTheDeadline() {
		upstream.behave(Behaviour.DRIP);
		assertTimesOut();
	}

	@Test
	@ExtendWith(OutputCaptureExtension.class)
	void fetchWhenCancelledRequestFailsLogsNoError(CapturedOutput output) throws InterruptedException {
		Semaphore subscribed = new Semaphore(0);
		Semaphore failed = new Semaphore(0);
		ClientFixture waiting = ClientFixture.of(WebClient.builder()
			.filter((request,
					next) -> Mono.deferContextual(context -> Mono.<ClientResponse>never()
						.doOnSubscribe(subscription -> subscribed.release())
						.doOnCancel(() -> {
							Operators.onErrorDropped(new IOException("Request cancelled"), Context.of(context));
							failed.release();
						}))),
				time);
		CompletableFuture<UpstreamOutcome> started = waiting.start();
		assertThat(subscribed.tryAcquire(20, TimeUnit.SECONDS)).isTrue();
		time.advanceTimeBy(ClientFixture.DEADLINE);
		assertThat(ClientFixture.failure(started).reason()).isEqualTo(Reason.RESPONSE_TIMEOUT);
		assertThat(failed.tryAcquire(20, TimeUnit.SECONDS)).isTrue();
		assertThat(output).doesNotContain("ERROR").doesNotContain("Request cancelled");
	}

	@Test
	void fetchWhenDeadlineHasNotPassedWaits() {
		Hold hold = upstream.hold();
		ClientFixture waiting = ClientFixture.of(upstream.baseUrl(), time);
		CompletableFuture<UpstreamOutcome> started = waiting.start();
		hold.awaitArrival(1);
		time.advanceTimeBy(ClientFixture.DEADLINE.minusNanos(1));
		assertThat(started).isNotDone();
		hold.release();
		assertThat(ClientFixture.outcome(started)).isInstanceOf(UpstreamAnswer.class);
	}

	@Test
	void fetchWhenRetryStallsFailsAtTheDeadline() {
		upstream.behave(Behaviour.CLOSE, Behaviour.STALL);
		ClientFixture waiting = ClientFixture.of(new ComfyProperties(ClientFixture.KEY, null, upstream.baseUrl(),
				ComfyProperties.Auth.API_KEY, false, Duration.ofMillis(100), Duration.ofMillis(1500)),
				Schedulers.parallel());
		assertThat(waiting.failure().reason()).isEqualTo(Reason.RESPONSE_TIMEOUT);
		await().atMost(Duration.ofSeconds(1))
			.untilAsserted(() -> assertThat(waiting.attempts()).isEqualTo(Map.of("unreachable", 1L, "timeout", 1L)));
	}

	@Test
	void fetchWhenDeadlinePassesBeforeTheRetryCountsOneAttempt() throws InterruptedException {
		Semaphore delays = new Semaphore(0);
		Hold hold = upstream.hold();
		upstream.behave(Behaviour.UNAVAILABLE);
		ClientFixture waiting = ClientFixture.of(upstream.baseUrl(), new ObservedScheduler(time, delays));
		CompletableFuture<UpstreamOutcome> started = waiting.start();
		hold.awaitArrival(1);
		time.advanceTimeBy(ClientFixture.DEADLINE.minusMillis(5));
		hold.release();
		assertThat(delays.tryAcquire(2, 10, TimeUnit.SECONDS)).as("deadline and retry delay are scheduled").isTrue();
		time.advanceTimeBy(Duration.ofMillis(5));
		assertThat(ClientFixture.failure(started).reason()).isEqualTo(Reason.RESPONSE_TIMEOUT);
		assertThat(waiting.attempts()).isEqualTo(Map.of("server_error", 1L));
		assertThat(upstream.received()).hasSize(1);
	}

	private void assertTimesOut() {
		ClientFixture waiting = ClientFixture.of(upstream.baseUrl(), time);
		CompletableFuture<UpstreamOutcome> started = waiting.start();
		upstream.awaitReceived(1);
		time.advanceTimeBy(ClientFixture.DEADLINE);
		UpstreamFailure failure = ClientFixture.failure(started);
		assertThat(failure).isEqualTo(UpstreamFailure.of(Reason.RESPONSE_TIMEOUT, 1));
		assertThat(waiting.attempts()).isEqualTo(Map.of("timeout", 1L));
		assertThat(upstream.received()).hasSize(1);
	}

	private void assertFailsOnce(Reason reason, String outcome) {
		assertThat(fixture.failure()).isEqualTo(UpstreamFailure.of(reason, 1));
		assertThat(fixture.attempts()).isEqualTo(Map.of(outcome, 1L));
		assertThat(upstream.received()).hasSize(1);
	}

	private void assertFailsTwice(Reason reason) {
		assertThat(fixture.failure()).isEqualTo(UpstreamFailure.of(reason, 1));
		assertThat(fixture.attempts()).isEqualTo(Map.of("unreachable", 2L));
		assertThat(upstream.connections()).isEqualTo(2);
		assertThat(upstream.received()).hasSize(2);
	}

	/** Scheduler that signals each delayed task. */
	private record ObservedScheduler(Scheduler scheduler, Semaphore delays) implements Scheduler {

		@Override
		public Disposable schedule(Runnable task) {
			return scheduler.schedule(task);
		}

		@Override
		public Disposable schedule(Runnable task, long delay, TimeUnit unit) {
			Disposable scheduled = scheduler.schedule(task, delay, unit);
			delays.release();
			return scheduled;
		}

		@Override
		public Worker createWorker() {
			return scheduler.createWorker();
		}

	}

}
