package dev.comfygateway.cache;

import dev.comfygateway.upstream.ComfyCloudClient;
import dev.comfygateway.upstream.PromptInfo;
import dev.comfygateway.upstream.UpstreamFailure;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import dev.comfygateway.upstream.UpstreamOutcome;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;
import static org.mockito.Mockito.withSettings;

/** {@link ComfyCloudClient} whose answers arrive when a test says so. */
final class ComfyCloudStandIn {

	private final ComfyCloudClient client = mock(ComfyCloudClient.class, withSettings().stubOnly());

	private final AtomicInteger fetches = new AtomicInteger();

	private volatile Sinks.One<UpstreamOutcome> flight = Sinks.one();

	private volatile Supplier<Mono<UpstreamOutcome>> answers = this::takeOff;

	private volatile Runnable onKeyGeneration = () -> {
	};

	private volatile long keyGeneration = 1;

	private volatile boolean keyUnreadable;

	ComfyCloudStandIn() {
		when(client.fetch()).thenAnswer(call -> {
			fetches.incrementAndGet();
			return answers.get().toFuture();
		});
		when(client.keyVersion()).thenAnswer(call -> {
			onKeyGeneration.run();
			return keyGeneration;
		});
		when(client.isKeyUnreadable()).thenAnswer(call -> keyUnreadable);
	}

	private Mono<UpstreamOutcome> takeOff() {
		flight = Sinks.one();
		return flight.asMono();
	}

	ComfyCloudClient client() {
		return client;
	}

	int fetches() {
		return fetches.get();
	}

	/** Lets the flight under way arrive. */
	void land(UpstreamOutcome outcome) {
		flight.tryEmitValue(outcome).orThrow();
	}

	void land(long queueRemaining) {
		land(answered(queueRemaining));
	}

	void land(Reason reason) {
		land(failure(reason));
	}

	/** From now on calls for an answer come to this, at once. */
	void answerWith(Supplier<Mono<UpstreamOutcome>> answers) {
		this.answers = answers;
	}

	/** From now on answers arrive when {@code land} is called. */
	void answerLater() {
		this.answers = this::takeOff;
	}

	void onKeyGeneration(Runnable action) {
		this.onKeyGeneration = action;
	}

	void changeKey() {
		keyGeneration++;
	}

	void keyUnreadable(boolean unreadable) {
		this.keyUnreadable = unreadable;
	}

	UpstreamOutcome.Answered answered(long queueRemaining) {
		return new UpstreamOutcome.Answered(new PromptInfo(new PromptInfo.ExecInfo(queueRemaining)), keyGeneration);
	}

	UpstreamFailure failure(Reason reason) {
		return failure(reason, null);
	}

	UpstreamFailure failure(Reason reason, @Nullable Duration retryAfter) {
		int status = switch (reason) {
			case UNAUTHORIZED -> 401;
			case FORBIDDEN -> 403;
			case RATE_LIMITED -> 429;
			case INTERNAL_ERROR -> 500;
			case UNAVAILABLE -> 503;
			case UNEXPECTED_STATUS -> 404;
			default -> 0;
		};
		return new UpstreamFailure(reason, status, null, null, retryAfter, keyGeneration);
	}

}
