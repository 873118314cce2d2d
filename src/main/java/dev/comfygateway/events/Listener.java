package dev.comfygateway.events;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.comfygateway.cache.Snapshot;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.Disposables;

/**
 * Caller who listens, with what it was told last and whether its stream is done. One
 * write is pending at a time, and at most one event waits behind it.
 */
final class Listener {

	/** Identity before the first event. */
	private static final String NOTHING = "";

	private static final byte[] EMPTY = {};

	/**
	 * Blank line after an event. Jetty sends the end of a chunk with the next one, and
	 * some clients hand over nothing of a chunk before its end.
	 */
	private static final byte[] END_OF_CHUNK = { '\n' };

	private final Content.Sink response;

	private final Callback callback;

	private final Closeable connection;

	private final OptionalLong until;

	private final Ticker ticker;

	private final long since;

	private final Consumer<Listener> onEnd;

	/** What would keep the listener alive after its end. */
	private final Disposable.Swap tasks = Disposables.swap();

	private @Nullable Message next;

	/** Identity of the last event that was handed to Jetty. */
	private String told = NOTHING;

	private boolean writing;

	private long writingSince;

	private boolean ending;

	/**
	 * Creates a listener.
	 * @param callback completed at the end of the stream
	 * @param connection closed where the listener does not read
	 * @param until number at or below which the stream ends; absent for none
	 * @param ticker the cache's, which tells when the request came
	 * @param onEnd called at the end of the stream, whichever it is
	 */
	Listener(Content.Sink response, Callback callback, Closeable connection, OptionalLong until, Ticker ticker,
			Consumer<Listener> onEnd) {
		this.response = response;
		this.callback = callback;
		this.connection = connection;
		this.until = until;
		this.ticker = ticker;
		this.since = ticker.read();
		this.onEnd = onEnd;
	}

	/**
	 * Sends an event in place of one that still waits, unless it says what the listener
	 * was told last. Ends the stream with {@code done} where the event is its end.
	 * @return whether there was something to send
	 */
	synchronized boolean tell(Event event) {
		if (ending) {
			return false;
		}
		Snapshot snapshot = event.snapshot();
		if (snapshot != null && isDoneBy(snapshot)) {
			sendLast(Event.done(snapshot));
			return true;
		}
		if (event.identity().equals(told)) {
			next = null;
			return false;
		}
		send(new Message(event.encoded(), event.identity(), true, false));
		return true;
	}

	/** Whether the stream ends with this answer, observed after the request came. */
	private boolean isDoneBy(Snapshot snapshot) {
		Long remaining = snapshot.promptInfo().remaining();
		return until.isPresent() && remaining != null && remaining <= until.getAsLong()
				&& snapshot.isObservedSince(since);
	}

	/** Tells an event to a listener that was told nothing yet. */
	synchronized boolean tellFirst(Event event) {
		return told.equals(NOTHING) && next == null && tell(event);
	}

	/** Sends text that is no event, unless something else is pending. */
	synchronized void comment(byte[] text) {
		if (!writing && !ending) {
			send(new Message(text, told, false, false));
		}
	}

	/** Disposes a task of this listener when the stream ends, at once if it has ended. */
	void disposeAtEnd(Disposable task) {
		tasks.update(task);
	}

	/** Ends the stream. */
	synchronized void end() {
		if (!ending) {
			sendLast(EMPTY);
		}
	}

	/** Time for which the present write has not been taken; zero where there is none. */
	synchronized long stalledFor(long now) {
		return writing ? now - writingSince : 0;
	}

	/** Closes the connection of a listener that does not read. */
	void drop() {
		try {
			connection.close();
		}
		catch (IOException ignored) {
			// It is closed
		}
	}

	private void sendLast(byte[] event) {
		ending = true;
		send(new Message(event, told, true, true));
	}

	private void send(Message message) {
		next = message;
		writeNext();
	}

	private void writeNext() {
		Message message = next;
		if (writing || message == null) {
			return;
		}
		next = null;
		told = message.identity;
		writing = true;
		writingSince = ticker.read();
		Callback written = Callback.from(() -> written(message), this::failed);
		try {
			response.write(message.isLast, ByteBuffer.wrap(message.bytes), written);
		}
		catch (RuntimeException failure) {
			// The other listeners have theirs all the same
			failed(failure);
		}
	}

	private void written(Message message) {
		synchronized (this) {
			writing = false;
			if (!message.isLast) {
				if (message.isEvent && next == null) {
					next = new Message(END_OF_CHUNK, told, false, false);
				}
				writeNext();
				return;
			}
		}
		tasks.dispose();
		onEnd.accept(this);
		callback.succeeded();
	}

	private void failed(Throwable failure) {
		synchronized (this) {
			writing = false;
			ending = true;
			next = null;
		}
		tasks.dispose();
		onEnd.accept(this);
		callback.failed(failure);
	}

	/**
	 * What is written at once.
	 *
	 * @param identity identity of the event that the listener knows with it
	 */
	private record Message(byte[] bytes, String identity, boolean isEvent, boolean isLast) {
	}

}
