package dev.comfygateway.events;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.comfygateway.cache.Snapshot;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;

/**
 * Caller who listens. One write is pending at a time, and at most one event waits behind
 * it.
 */
final class Listener {

	private final Request request;

	private final Response response;

	private final Callback callback;

	private final OptionalLong until;

	private final Ticker ticker;

	private final long since;

	private final Consumer<Listener> gone;

	private byte @Nullable [] next;

	private boolean writing;

	private long writingSince;

	private boolean last;

	private boolean ended;

	/**
	 * Creates a listener.
	 * @param until number at or below which the stream ends; absent for none
	 * @param ticker the cache's, which tells when the request came
	 * @param gone hears of the end
	 */
	Listener(Request request, Response response, Callback callback, OptionalLong until, Ticker ticker,
			Consumer<Listener> gone) {
		this.request = request;
		this.response = response;
		this.callback = callback;
		this.until = until;
		this.ticker = ticker;
		this.since = ticker.read();
		this.gone = gone;
	}

	/** Whether the stream ends with this answer, which must be newer than the request. */
	boolean isDoneBy(Snapshot snapshot) {
		return snapshot.isAskedSince(since) && reaches(snapshot);
	}

	/** Whether the answer's number is low enough, however old it is. */
	boolean reaches(Snapshot snapshot) {
		Long remaining = snapshot.promptInfo().remaining();
		return until.isPresent() && remaining != null && remaining <= until.getAsLong();
	}

	/** Sends an event, in place of one that still waits. */
	synchronized void send(byte[] event) {
		if (!last && !ended) {
			next = event;
			writeNext();
		}
	}

	/** Sends an event and ends the stream. */
	synchronized void end(byte[] event) {
		if (!last && !ended) {
			next = event;
			last = true;
			writeNext();
		}
	}

	/** Sends a comment, unless something else is on its way. */
	synchronized void comment(byte[] comment) {
		if (!writing) {
			send(comment);
		}
	}

	/** Time for which the present write has not been taken; zero where there is none. */
	synchronized long stalledFor(long now) {
		return writing ? now - writingSince : 0;
	}

	/** Ends the connection of a listener that does not read. */
	void drop() {
		request.getConnectionMetaData().getConnection().getEndPoint().close(new IOException("Not read"));
	}

	private void writeNext() {
		byte[] event = next;
		if (writing || event == null) {
			return;
		}
		next = null;
		writing = true;
		writingSince = ticker.read();
		boolean isLast = last;
		response.write(isLast, ByteBuffer.wrap(event), Callback.from(() -> written(isLast), this::failed));
	}

	private void written(boolean wasLast) {
		synchronized (this) {
			writing = false;
			if (!wasLast) {
				writeNext();
				return;
			}
			ended = true;
		}
		gone.accept(this);
		callback.succeeded();
	}

	private void failed(Throwable failure) {
		synchronized (this) {
			writing = false;
			ended = true;
		}
		gone.accept(this);
		callback.failed(failure);
	}

}
