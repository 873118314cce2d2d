package dev.comfygateway.cache;

import dev.comfygateway.upstream.ComfyCloudClient;
import dev.comfygateway.upstream.KeyFileState;
import dev.comfygateway.upstream.PromptInfo;
import dev.comfygateway.upstream.UpstreamFailure;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import dev.comfygateway.upstream.UpstreamAnswer;
import dev.comfygateway.upstream.UpstreamOutcome;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;
import static org.mockito.Mockito.withSettings;

/** {@link ComfyCloudClient} stub whose fetches a test completes. */
final class ComfyCloudStub {

	private final ComfyCloudClient client = mock(ComfyCloudClient.class, withSettings().stubOnly());

	private final AtomicInteger fetches = new AtomicInteger();

	private volatile CompletableFuture<UpstreamOutcome> inFlight = new CompletableFuture<>();

	private volatile Supplier<CompletableFuture<UpstreamOutcome>> answers = this::start;

	private volatile Runnable onKeyVersion = () -> {
	};

	private volatile long keyVersion = 1;

	private volatile boolean keyUnreadable;

	ComfyCloudStub() {
		when(client.fetch()).thenAnswer(call -> {
			fetches.incrementAndGet();
			return answers.get();
		});
		when(client.keyVersion()).thenAnswer(call -> {
			onKeyVersion.run();
			return keyVersion;
		});
		when(client.keyFile())
			.thenAnswer(call -> Optional.of(keyUnreadable ? KeyFileState.UNREADABLE : KeyFileState.OK));
		when(client.deadline()).thenReturn(Duration.ofMillis(2500));
		when(client.host()).thenReturn("comfy.example");
	}

	private CompletableFuture<UpstreamOutcome> start() {
		inFlight = new CompletableFuture<>();
		return inFlight;
	}

	ComfyCloudClient client() {
		return client;
	}

	int fetches() {
		return fetches.get();
	}

	/** Completes the fetch in flight. */
	void complete(UpstreamOutcome outcome) {
		inFlight.complete(outcome);
	}

	void complete(long queueRemaining) {
		complete(answered(queueRemaining));
	}

	void complete(Reason reason) {
		complete(failure(reason));
	}

	/** Completes each further fetch immediately with a supplied outcome. */
	void answerWith(Supplier<CompletableFuture<UpstreamOutcome>> answers) {
		this.answers = answers;
	}

	/** Leaves further fetches in flight until {@code complete} is called. */
	void answerManually() {
		this.answers = this::start;
	}

	void onKeyVersion(Runnable action) {
		this.onKeyVersion = action;
	}

	void changeKey() {
		keyVersion++;
	}

	void useProxy(String proxy) {
		when(client.proxy()).thenReturn(Optional.of(proxy));
	}

	void keyUnreadable(boolean unreadable) {
		this.keyUnreadable = unreadable;
	}

	UpstreamAnswer answered(long queueRemaining) {
		return new UpstreamAnswer(new PromptInfo(new PromptInfo.ExecInfo(queueRemaining)), keyVersion);
	}

	UpstreamAnswer answered(long queueRemaining, Duration age) {
		return new UpstreamAnswer(new PromptInfo(new PromptInfo.ExecInfo(queueRemaining)), age, null, keyVersion);
	}

	UpstreamFailure failure(Reason reason) {
		return failure(reason, null);
	}

	UpstreamFailure failure(Reason reason, @Nullable Duration retryAfter) {
		int status = switch (reason) {
			case UNAUTHORIZED -> 401;
			case FORBIDDEN, BLOCKED -> 403;
			case RATE_LIMITED -> 429;
			case INTERNAL_ERROR -> 500;
			case UNAVAILABLE -> 503;
			case UNEXPECTED_STATUS -> 404;
			case TUNNEL_REFUSED -> 407;
			default -> 0;
		};
		return new UpstreamFailure(reason, status, null, null, retryAfter, keyVersion);
	}

}
