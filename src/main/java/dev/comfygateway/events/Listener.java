package dev.comfygateway.events;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.comfygateway.cache.Snapshot;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.OptionalLong;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.Disposables;

/**
 * Listener of the stream, with the last event that was sent to it. At most one write is
 * pending, and at most one message waits for it.
 */
final class Listener {

	/** Identity before the first event. */
	private static final String NONE = "";

	private static final byte[] EMPTY = {};

	private final Content.Sink response;

	private final Callback callback;

	private final Closeable abort;

	private final Until until;

	private final Ticker ticker;

	private final Runnable onEvent;

	private final Consumer<Listener> onEnd;

	/** Timeout task, which would retain the listener after its end. */
	private final Disposable.Swap timeoutTask = Disposables.swap();

	private @Nullable Message next;

	/** Identity of the last event that was passed to Jetty. */
	private String lastIdentity = NONE;

	private boolean writing;

	private long writingSince;

	private boolean ending;

	/**
	 * Whether the callback is completed. Two threads may try to complete it concurrently.
	 */
	private boolean ended;

	/**
	 * Creates a listener.
	 * @param callback completed at the end of the stream
	 * @param abort closed if the listener does not read
	 * @param until queue length at or below which the stream ends; empty if it has no end
	 * @param ticker ticker of the cache
	 * @param onEvent called after each event that was written
	 * @param onEnd called at the end of the stream, including on failure
	 */
	Listener(Content.Sink response, Callback callback, Closeable abort, OptionalLong until, Ticker ticker,
			Runnable onEvent, Consumer<Listener> onEnd) {
		this.response = response;
		this.callback = callback;
		this.abort = abort;
		this.until = new Until(until, ticker.read());
		this.ticker = ticker;
		this.onEvent = onEvent;
		this.onEnd = onEnd;
	}

	/**
	 * Sends an event, which replaces a waiting one. An event that equals the last one is
	 * not sent. Ends the stream with {@code done} if {@code until} is reached.
	 */
	void send(Event event) {
		write(() -> queue(event));
	}

	/** Queues a message, and writes it unless a write is pending. */
	private void write(Runnable queueing) {
		synchronized (this) {
			queueing.run();
		}
		writeNext();
	}

	private void queue(Event event) {
		if (ending) {
			return;
		}
		Snapshot snapshot = event.snapshot();
		if (snapshot != null && until.isMetBy(snapshot)) {
			queueLast(Event.done(snapshot), true);
		}
		else if (!event.identity().equals(lastIdentity)) {
			byte[] encoded = until.isPresent() ? event.encodedForUntil() : event.encoded();
			next = new Message(encoded, event.identity(), true, false);
		}
		else if (next != null && next.isEvent()) {
			next = null;
		}
	}

	/** Sends an event to a listener that has received none yet. */
	void sendFirst(Event event) {
		write(() -> {
			if (lastIdentity.equals(NONE) && next == null) {
				queue(event);
			}
		});
	}

	/** Sends bytes that are not an event, unless a write is pending. */
	void sendUnlessBusy(byte[] bytes) {
		write(() -> {
			if (!writing && !ending && next == null) {
				next = new Message(bytes, lastIdentity, false, false);
			}
		});
	}

	/**
	 * Disposes a task of this listener when the stream ends, or immediately if it has
	 * ended.
	 */
	void disposeAtEnd(Disposable task) {
		timeoutTask.update(task);
	}

	/** Ends the stream. */
	void end() {
		write(() -> {
			if (!ending) {
				queueLast(EMPTY, false);
			}
		});
	}

	/**
	 * Returns the time for which the current write has been pending; zero if there is
	 * none.
	 */
	synchronized long stalledFor(long now) {
		return writing ? now - writingSince : 0;
	}

	/** Aborts the request of a listener that does not read. */
	void abort() {
		try {
			abort.close();
		}
		catch (IOException ignored) {
			// Already closed
		}
	}

	/**
	 * Ends the stream of a disconnected listener. Over HTTP/1.1 only a write detects the
	 * disconnect. An idle timeout does not end the stream.
	 */
	void disconnected(Throwable failure) {
		if (!(failure instanceof TimeoutException)) {
			failed(failure);
		}
	}

	synchronized boolean hasEnded() {
		return ended;
	}

	private void queueLast(byte[] bytes, boolean isEvent) {
		ending = true;
		next = new Message(bytes, lastIdentity, isEvent, true);
	}

	/**
	 * Writes the waiting message, unless a write is pending. No lock is held during the
	 * write, since Jetty calls back while it holds its own locks.
	 */
	private void writeNext() {
		Message message;
		synchronized (this) {
			message = next;
			if (writing || ended || message == null) {
				return;
			}
			next = null;
			lastIdentity = message.identity();
			writing = true;
			writingSince = ticker.read();
		}
		Callback written = Callback.from(() -> written(message), this::failed);
		try {
			response.write(message.isLast(), ByteBuffer.wrap(message.bytes()), written);
		}
		catch (RuntimeException failure) {
			// Other listeners are not affected
			failed(failure);
		}
	}

	private void written(Message message) {
		synchronized (this) {
			if (ended) {
				return;
			}
			writing = false;
			ended = message.isLast();
			if (message.isEvent() && !ended && next == null) {
				next = Message.endOfChunk(lastIdentity);
			}
		}
		if (message.isEvent()) {
			onEvent.run();
		}
		if (!message.isLast()) {
			writeNext();
			return;
		}
		timeoutTask.dispose();
		onEnd.accept(this);
		callback.succeeded();
	}

	private void failed(Throwable failure) {
		synchronized (this) {
			if (ended) {
				return;
			}
			ended = true;
			writing = false;
			ending = true;
			next = null;
		}
		timeoutTask.dispose();
		onEnd.accept(this);
		callback.failed(failure);
	}

}
