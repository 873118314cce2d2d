package dev.comfygateway.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.upstream.UpstreamFailure.Reason;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.ExchangeFilterFunction;
import org.springframework.web.reactive.function.client.WebClient;
import reactor.core.publisher.Mono;
import reactor.test.scheduler.VirtualTimeScheduler;

/** Tests that the deadline applies even if the reactive chain is broken. */
class ComfyCloudClientDeadlineTests {

	private final VirtualTimeScheduler time = VirtualTimeScheduler.create();

	@AfterEach
	void stop() {
		time.dispose();
	}

	@ParameterizedTest
	@MethodSource("fatalErrors")
	void fetchWhenChainThrowsFatalErrorFailsAtTheDeadline(Error error) throws InterruptedException {
		CountDownLatch thrown = new CountDownLatch(1);
		assertFailsAtTheDeadline(thrown, (request, next) -> {
			thrown.countDown();
			throw error;
		});
	}

	@ParameterizedTest
	@MethodSource("fatalErrors")
	void fetchWhenChainThrowsFatalErrorOnSubscriptionFailsAtTheDeadline(Error error) throws InterruptedException {
		CountDownLatch thrown = new CountDownLatch(1);
		assertFailsAtTheDeadline(thrown, (request, next) -> Mono.fromCallable(() -> {
			thrown.countDown();
			throw error;
		}));
	}

	@ParameterizedTest
	@MethodSource("fatalErrors")
	void fetchWhenBodyThrowsFatalErrorFailsAtTheDeadlineAndTheNextOneSucceeds(Error error) {
		AtomicBoolean isThrown = new AtomicBoolean();
		ExchangeFilterFunction broken = (request, next) -> next.exchange(request)
			.map(response -> response.mutate().body(body -> body.doOnNext(part -> {
				if (isThrown.compareAndSet(false, true)) {
					throw error;
				}
			})).build());
		try (SimulatedComfyCloud upstream = SimulatedComfyCloud.start(0, ClientFixture.KEY);
				ClientFixture fixture = ClientFixture.withShortDeadline(upstream.baseUrl(),
						WebClient.builder().filter(broken))) {
			assertThat(fixture.fetch()).isInstanceOf(UpstreamFailure.class);
			assertThat(isThrown).isTrue();
			await().atMost(Duration.ofSeconds(1)).until(() -> OpenSockets.to(upstream.port()) == 0);
			assertThat(fixture.fetch()).isInstanceOf(UpstreamAnswer.class);
		}
	}

	@Test
	void fetchWhenCancellationThrowsFailsAtTheDeadline() throws InterruptedException {
		CountDownLatch subscribed = new CountDownLatch(1);
		assertFailsAtTheDeadline(subscribed,
				(request, next) -> Mono.<ClientResponse>never()
					.doOnSubscribe(subscription -> subscribed.countDown())
					.doOnCancel(() -> {
						throw new LinkageError();
					}));
	}

	@Test
	void fetchWhenCancellationNeverReturnsFailsAtTheDeadline() {
		CountDownLatch released = new CountDownLatch(1);
		try (ClientFixture fixture = ClientFixture.withShortDeadline("http://localhost",
				WebClient.builder()
					.filter((request, next) -> Mono.<ClientResponse>never()
						.doOnCancel(() -> awaitUninterruptibly(released))))) {
			assertThat(fixture.failure().reason()).isEqualTo(Reason.RESPONSE_TIMEOUT);
		}
		finally {
			released.countDown();
		}
	}

	@Test
	void fetchWhenChainHasABugFailsExceptionally() {
		IllegalStateException unexpected = new IllegalStateException();
		try (ClientFixture fixture = ClientFixture
			.of(WebClient.builder().filter((request, next) -> Mono.error(unexpected)), time)) {
			assertThat(fixture.start()).failsWithin(Duration.ofSeconds(20))
				.withThrowableOfType(ExecutionException.class)
				.withCause(unexpected);
		}
	}

	@Test
	void fetchRunsOnAnotherThread() {
		AtomicReference<@Nullable Thread> thread = new AtomicReference<>();
		try (ClientFixture fixture = ClientFixture.of(WebClient.builder().filter((request, next) -> {
			thread.set(Thread.currentThread());
			return Mono.error(new IllegalStateException());
		}), time)) {
			assertThat(fixture.start()).failsWithin(Duration.ofSeconds(20));
			assertThat(thread.get()).isNotNull().isNotSameAs(Thread.currentThread());
		}
	}

	static Stream<Error> fatalErrors() {
		return Stream.of(new NoClassDefFoundError("x"), new StackOverflowError("x"), new Exhausted());
	}

	private void assertFailsAtTheDeadline(CountDownLatch reached, ExchangeFilterFunction broken)
			throws InterruptedException {
		try (ClientFixture fixture = ClientFixture.of(WebClient.builder().filter(broken), time)) {
			CompletableFuture<UpstreamOutcome> started = fixture.start();
			assertThat(reached.await(20, TimeUnit.SECONDS)).isTrue();
			time.advanceTimeBy(ClientFixture.DEADLINE.minusNanos(1));
			assertThat(started).isNotDone();
			time.advanceTimeBy(Duration.ofNanos(1));
			assertThat(ClientFixture.failure(started).reason()).isEqualTo(Reason.RESPONSE_TIMEOUT);
		}
	}

	private static void awaitUninterruptibly(CountDownLatch latch) {
		try {
			assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
		}
		catch (InterruptedException e) {
			throw new AssertionError(e);
		}
	}

	/** {@link OutOfMemoryError} without an actual lack of memory. */
	private static final class Exhausted extends OutOfMemoryError {

		private static final long serialVersionUID = 1L;

	}

}
