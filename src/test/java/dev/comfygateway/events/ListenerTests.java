package dev.comfygateway.events;

import dev.comfygateway.cache.Snapshot;
import dev.comfygateway.cache.Snapshots;
import dev.comfygateway.cache.UpstreamStatus;
import dev.comfygateway.support.FakeTime;
import dev.comfygateway.upstream.PromptInfo;
import dev.comfygateway.upstream.UpstreamFailure;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.Disposables;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyBoolean;
import static org.mockito.Mockito.doAnswer;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.verifyNoInteractions;

class ListenerTests {

	private int blankLines;

	private final List<String> written = new ArrayList<>();

	private final List<Callback> pending = new ArrayList<>();

	private final Callback callback = mock(Callback.class);

	private final Closeable connection = mock(Closeable.class);

	private int events;

	private final List<Listener> ended = new ArrayList<>();

	private final Content.Sink response = mock(Content.Sink.class);

	private final FakeTime time = new FakeTime();

	private Listener listener = listener(OptionalLong.empty());

	@BeforeEach
	void record() {
		doAnswer(call -> {
			ByteBuffer bytes = call.getArgument(1);
			if (bytes.remaining() == 1 && bytes.get(bytes.position()) == '\n') {
				blankLines++;
				call.<Callback>getArgument(2).succeeded();
				return null;
			}
			written.add(StandardCharsets.UTF_8.decode(bytes).toString().replaceAll("(?s).*queue_remaining\":|}.*", "")
					+ (call.<Boolean>getArgument(0) ? " (last)" : ""));
			pending.add(call.getArgument(2));
			return null;
		}).when(response).write(anyBoolean(), any(), any());
	}

	private Listener listener(OptionalLong until) {
		return new Listener(response, callback, connection, until, time, () -> events++, ended::add);
	}

	@Test
	void timeoutTaskWhenCallerHasDisconnectedIsDisposed() {
		Disposable task = Disposables.single();
		listener.disposeAtEnd(task);
		listener.send(prompt(1));
		assertThat(task.isDisposed()).isFalse();
		pending.getFirst().failed(new IOException("The caller has disconnected"));
		assertThat(task.isDisposed()).isTrue();
		Disposable late = Disposables.single();
		listener.disposeAtEnd(late);
		assertThat(late.isDisposed()).isTrue();
	}

	@Test
	void leaveDuringAWriteDoesNotWaitForIt() throws Exception {
		CountDownLatch writing = new CountDownLatch(1);
		CountDownLatch left = new CountDownLatch(1);
		doAnswer(call -> {
			writing.countDown();
			// As in Jetty, where the thread that detects the end of the stream has a lock
			assertThat(left.await(10, TimeUnit.SECONDS)).isTrue();
			return null;
		}).when(response).write(anyBoolean(), any(), any());
		CompletableFuture<Void> write = CompletableFuture.runAsync(() -> listener.send(prompt(1)));
		assertThat(writing.await(10, TimeUnit.SECONDS)).isTrue();
		listener.disconnected(new IOException("The caller has disconnected"));
		left.countDown();
		write.get(10, TimeUnit.SECONDS);
		assertThat(ended).containsExactly(listener);
	}

	@Test
	void answerWithoutANumberWithUntilIsPrecededByAComment() {
		listener.send(withoutNumber());
		listener = listener(OptionalLong.of(0));
		listener.send(withoutNumber());
		assertThat(written.getFirst()).startsWith("event: prompt");
		assertThat(written.getLast())
			.startsWith(": the upstream sends no number; until waits for one\nevent: prompt\n");
	}

	@Test
	void newestEventReplacesTheQueuedOne() {
		listener.send(prompt(1));
		listener.send(prompt(2));
		listener.send(prompt(3));
		assertThat(written).containsExactly("1");
		complete();
		assertThat(written).containsExactly("1", "3");
		complete();
		assertThat(written).hasSize(2);
		verifyNoInteractions(callback);
	}

	@Test
	void eventsAreCountedWhenTheyAreWritten() {
		listener = listener(OptionalLong.of(0));
		listener.sendUnlessBusy(bytes("retry"));
		listener.send(prompt(1));
		listener.send(prompt(2));
		assertThat(events).isZero();
		complete();
		complete();
		assertThat(events).as("without the comment and the replaced event").isOne();
		listener.send(prompt(0));
		complete();
		assertThat(events).as("with the last event").isEqualTo(2);
	}

	@Test
	void endWithoutAnEventIsNotCounted() {
		listener.end();
		complete();
		assertThat(events).isZero();
	}

	@Test
	void eventIsFollowedByABlankLineInItsChunk() {
		listener.send(prompt(1));
		listener.send(prompt(2));
		complete();
		assertThat(blankLines).as("the queued event ends the chunk").isZero();
		complete();
		assertThat(blankLines).isOne();
		listener.sendUnlessBusy(bytes(":"));
		complete();
		listener.end();
		complete();
		assertThat(blankLines).isOne();
	}

	@Test
	void sameEventIsNotSentTwice() {
		listener.send(prompt(1));
		complete();
		listener.send(prompt(1));
		assertThat(written).containsExactly("1");
		listener.send(failure());
		complete();
		listener.send(failure());
		assertThat(written).hasSize(2);
		listener.send(prompt(1));
		assertThat(written).hasSize(3).last().isEqualTo("1");
	}

	@Test
	void eventWhenEqualToTheLastOneRemovesTheQueuedOne() {
		listener.send(prompt(1));
		listener.send(prompt(2));
		listener.send(prompt(1));
		complete();
		assertThat(written).containsExactly("1");
		assertThat(pending).isEmpty();
	}

	@Test
	void commentDoesNotChangeTheLastEvent() {
		listener.send(prompt(1));
		complete();
		listener.sendUnlessBusy(bytes(":"));
		complete();
		listener.send(prompt(1));
		assertThat(written).containsExactly("1", ":");
	}

	@Test
	void endIsNeverReplaced() {
		listener.send(prompt(1));
		listener.end();
		listener.send(prompt(2));
		listener.end();
		complete();
		assertThat(written).containsExactly("1", " (last)");
		complete();
		verify(callback).succeeded();
		assertThat(ended).containsExactly(listener);
		listener.send(prompt(3));
		assertThat(written).hasSize(2);
	}

	@Test
	void untilEndsWithTheFirstAnswerObservedSinceTheRequest() {
		listener = listener(OptionalLong.of(2));
		listener.send(Event.of(status(snapshot(2, Duration.ofSeconds(-1)), null)).orElseThrow());
		listener.send(prompt(3));
		assertThat(ended).isEmpty();
		complete();
		complete();
		listener.send(prompt(2));
		assertThat(written).containsExactly("2", "3", "2 (last)");
		complete();
		verify(callback).succeeded();
		assertThat(ended).containsExactly(listener);
	}

	@Test
	void untilEndsWithAnAnswerEqualToTheLastOne() {
		listener = listener(OptionalLong.of(2));
		listener.send(Event.of(status(snapshot(2, Duration.ofSeconds(-1)), null)).orElseThrow());
		complete();
		listener.send(prompt(2));
		assertThat(written).containsExactly("2", "2 (last)");
	}

	@Test
	void sendFirstWhenAnEventWasSentOrQueuedDoesNothing() {
		listener.sendFirst(failure());
		complete();
		listener.sendFirst(prompt(1));
		assertThat(written).hasSize(1);
		Listener other = listener(OptionalLong.empty());
		other.sendUnlessBusy(bytes("retry"));
		other.send(prompt(1));
		other.sendFirst(failure());
		complete();
		assertThat(written).as("the queued event").last().isEqualTo("1");
	}

	@Test
	void commentWhenAWriteIsPendingIsOmitted() {
		listener.send(prompt(1));
		listener.sendUnlessBusy(bytes(":"));
		complete();
		assertThat(written).containsExactly("1");
		listener.sendUnlessBusy(bytes(":"));
		assertThat(written).containsExactly("1", ":");
	}

	@Test
	void failedWriteEndsTheListener() {
		listener.send(prompt(1));
		IllegalStateException failure = new IllegalStateException();
		pending.removeFirst().failed(failure);
		verify(callback).failed(failure);
		assertThat(ended).containsExactly(listener);
		listener.send(prompt(2));
		listener.end();
		assertThat(written).hasSize(1);
		assertThat(events).isZero();
	}

	@Test
	void stalledForIsTheDurationOfThePendingWrite() {
		assertThat(listener.stalledFor(time.read())).isZero();
		listener.send(prompt(1));
		time.advance(Duration.ofSeconds(9));
		listener.send(prompt(2));
		assertThat(listener.stalledFor(time.read())).isEqualTo(TimeUnit.SECONDS.toNanos(9));
		complete();
		assertThat(listener.stalledFor(time.read())).isZero();
	}

	@Test
	void abortClosesTheConnection() throws IOException {
		listener.abort();
		verify(connection).close();
	}

	private Event prompt(long queueRemaining) {
		return Event.of(status(snapshot(queueRemaining, Duration.ZERO), null)).orElseThrow();
	}

	/** Answer to a request sent this long after the listener connected. */
	private Snapshot snapshot(long queueRemaining, Duration requested) {
		return Snapshots.requestedAt(queueRemaining, new FakeTime().read() + requested.toNanos());
	}

	private static Event withoutNumber() {
		return Event.of(status(Snapshots.of(new PromptInfo(null)), null)).orElseThrow();
	}

	private static Event failure() {
		return Event.of(status(null, UpstreamFailure.timeout(1))).orElseThrow();
	}

	private static UpstreamStatus status(@Nullable Snapshot observed, @Nullable UpstreamFailure failure) {
		return new UpstreamStatus(Optional.ofNullable(observed), Optional.of(failure == null),
				Optional.ofNullable(failure), Optional.empty(), Optional.empty(), false);
	}

	private void complete() {
		pending.removeFirst().succeeded();
	}

	private static byte[] bytes(String text) {
		return text.getBytes(StandardCharsets.UTF_8);
	}

}
