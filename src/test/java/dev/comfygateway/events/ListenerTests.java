package dev.comfygateway.events;

import dev.comfygateway.support.FakeTime;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyBoolean;
import static org.mockito.Mockito.doAnswer;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.verifyNoInteractions;

class ListenerTests {

	private final List<String> written = new ArrayList<>();

	private final List<Callback> pending = new ArrayList<>();

	private final Callback callback = mock(Callback.class);

	private final List<Listener> gone = new ArrayList<>();

	private final Response response = mock(Response.class);

	private final FakeTime time = new FakeTime();

	private final Listener listener = new Listener(mock(Request.class), response, callback, OptionalLong.empty(), time,
			gone::add);

	@BeforeEach
	void record() {
		doAnswer(call -> {
			ByteBuffer bytes = call.getArgument(1);
			written.add(StandardCharsets.UTF_8.decode(bytes) + (call.<Boolean>getArgument(0) ? " (last)" : ""));
			pending.add(call.getArgument(2));
			return null;
		}).when(response).write(anyBoolean(), any(), any());
	}

	@Test
	void newestEventReplacesTheOneThatWaits() {
		send("one");
		send("two");
		send("three");
		assertThat(written).containsExactly("one");
		complete();
		assertThat(written).containsExactly("one", "three");
		complete();
		assertThat(written).hasSize(2);
		verifyNoInteractions(callback);
	}

	@Test
	void endIsNeverReplaced() {
		send("one");
		listener.end(bytes("done"));
		send("two");
		listener.end(bytes("again"));
		complete();
		assertThat(written).containsExactly("one", "done (last)");
		complete();
		verify(callback).succeeded();
		assertThat(gone).containsExactly(listener);
		send("three");
		assertThat(written).hasSize(2);
	}

	@Test
	void commentIsLeftOutWhereSomethingIsOnItsWay() {
		send("one");
		listener.comment(bytes(":"));
		complete();
		assertThat(written).containsExactly("one");
		listener.comment(bytes(":"));
		assertThat(written).containsExactly("one", ":");
	}

	@Test
	void failedWriteEndsIt() {
		send("one");
		IllegalStateException failure = new IllegalStateException();
		pending.removeFirst().failed(failure);
		verify(callback).failed(failure);
		assertThat(gone).containsExactly(listener);
		send("two");
		assertThat(written).hasSize(1);
	}

	@Test
	void stalledForIsTheTimeOfThePendingWrite() {
		assertThat(listener.stalledFor(time.read())).isZero();
		send("one");
		time.advance(Duration.ofSeconds(9));
		send("two");
		assertThat(listener.stalledFor(time.read())).isEqualTo(TimeUnit.SECONDS.toNanos(9));
		complete();
		assertThat(listener.stalledFor(time.read())).isZero();
	}

	private void send(String event) {
		listener.send(bytes(event));
	}

	private void complete() {
		pending.removeFirst().succeeded();
	}

	private static byte[] bytes(String text) {
		return text.getBytes(StandardCharsets.UTF_8);
	}

}
