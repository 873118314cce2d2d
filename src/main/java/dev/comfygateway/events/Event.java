package dev.comfygateway.events;

import dev.comfygateway.cache.Snapshot;
import dev.comfygateway.cache.UpstreamStatus;
import dev.comfygateway.error.GatewayError;
import dev.comfygateway.upstream.UpstreamFailure;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * Event of the stream, encoded once for all listeners.
 *
 * @param identity equal for events with the same content
 * @param snapshot answer of a {@code prompt} event; {@code null} otherwise
 * @param encoded bytes on the wire
 */
record Event(Type type, String identity, @Nullable Snapshot snapshot, byte[] encoded) {

	static final byte[] COMMENT = { ':', '\n' };

	static final byte[] END_OF_COMMENT = { '\n' };

	/** Comment for a listener with {@code until} if the answer has no queue length. */
	private static final byte[] NO_NUMBER = ": the upstream sends no number; until waits for one\n"
		.getBytes(StandardCharsets.US_ASCII);

	private static final int MIN_RETRY_MILLIS = 2000;

	private static final int MAX_RETRY_MILLIS = 4000;

	private static final JsonMapper json = new JsonMapper();

	/** Type of an event. */
	enum Type {

		/** The queue is known. */
		PROMPT,
		/** The last refresh has failed, and an old answer is still served. */
		STALE,
		/** No answer can be served. */
		UNKNOWN

	}

	/**
	 * Returns the event for a status; empty if it has neither an answer nor a failure.
	 */
	static Optional<Event> of(UpstreamStatus status) {
		if (status.failure().isPresent()) {
			UpstreamFailure failure = status.failure().get();
			return Optional.of(failed(status.observed().isPresent() ? Type.STALE : Type.UNKNOWN, failure));
		}
		return status.observed().map(Event::prompt);
	}

	/**
	 * Returns the first event for a new listener. Unlike {@link #of}, also returns an
	 * empty result if no answer may be served and the cool-down has ended, since a fetch
	 * is then due.
	 */
	static Optional<Event> current(UpstreamStatus status) {
		boolean isFetchDue = status.failure().isPresent() && status.observed().isEmpty()
				&& status.nextAttemptAt().isEmpty();
		return isFetchDue ? Optional.empty() : of(status);
	}

	/**
	 * Returns the event for a listener whose first result did not arrive before the
	 * timeout.
	 */
	static Event timedOut() {
		return failed(Type.UNKNOWN, UpstreamFailure.timeout(0));
	}

	private static Event prompt(Snapshot snapshot) {
		return new Event(Type.PROMPT, snapshot.etag(), snapshot,
				encode("prompt", EventId.of(snapshot), snapshot.body()));
	}

	private static Event failed(Type type, UpstreamFailure failure) {
		String name = type == Type.STALE ? "stale" : "unknown";
		byte[] body = json.writeValueAsBytes(GatewayError.of(failure).body());
		return new Event(type, name + new String(body, StandardCharsets.UTF_8), null, encode(name, null, body));
	}

	/**
	 * Returns the bytes on the wire for a listener with {@code until}. They start with a
	 * comment if the answer has no queue length.
	 */
	byte[] encodedForUntil() {
		return snapshot == null || snapshot.promptInfo().remaining() != null ? encoded
				: ByteBuffer.allocate(NO_NUMBER.length + encoded.length).put(NO_NUMBER).put(encoded).array();
	}

	/** Returns the reconnection time of browsers, with jitter to spread reconnections. */
	static byte[] retry() {
		int millis = ThreadLocalRandom.current().nextInt(MIN_RETRY_MILLIS, MAX_RETRY_MILLIS + 1);
		return ("retry: " + millis + "\n\n").getBytes(StandardCharsets.US_ASCII);
	}

	/** Returns the last event of a stream with {@code until}. */
	static byte[] done(Snapshot snapshot) {
		return encode("done", EventId.ofDone(snapshot), snapshot.body());
	}

	/** Encodes an event. The JSON is a single line, and needs one {@code data} line. */
	private static byte[] encode(String name, @Nullable String id, byte[] data) {
		String event = "event: " + name + (id == null ? "" : "\nid: " + id) + "\ndata: "
				+ new String(data, StandardCharsets.UTF_8) + "\n\n";
		return event.getBytes(StandardCharsets.UTF_8);
	}

}
