package dev.comfygateway.events;

import dev.comfygateway.cache.PromptCache;
import dev.comfygateway.cache.Snapshot;
import dev.comfygateway.error.ErrorAnswer;
import dev.comfygateway.upstream.UpstreamFailure;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * State of the queue as an event, encoded once for all listeners, but for {@code done}.
 *
 * @param kind what it says
 * @param identity two events with the same one say the same
 * @param snapshot the answer, of a {@code prompt} event
 * @param encoded bytes on the wire
 */
record Event(Kind kind, String identity, @Nullable Snapshot snapshot, byte[] encoded) {

	private static final JsonMapper json = new JsonMapper();

	/** What an event says. */
	enum Kind {

		/** The queue is known. */
		PROMPT,
		/** The answer can no longer be refreshed, but would still be served. */
		STALE,
		/** Nothing could be served. */
		UNKNOWN

	}

	/**
	 * Event for a state of the cache; absent where that knows neither answer nor failure.
	 */
	static Optional<Event> of(PromptCache.Status status) {
		if (status.failure().isPresent()) {
			UpstreamFailure failure = status.failure().get();
			return Optional.of(failed(status.observed().isPresent() ? Kind.STALE : Kind.UNKNOWN, failure));
		}
		return status.observed().map(Event::prompt);
	}

	/** Event where no result came in time. */
	static Event timedOut() {
		return failed(Kind.UNKNOWN, UpstreamFailure.timeout(0));
	}

	private static Event prompt(Snapshot snapshot) {
		return new Event(Kind.PROMPT, snapshot.etag(), snapshot,
				encode("prompt", EventId.of(snapshot), snapshot.body()));
	}

	private static Event failed(Kind kind, UpstreamFailure failure) {
		String name = kind == Kind.STALE ? "stale" : "unknown";
		byte[] body = json.writeValueAsBytes(ErrorAnswer.of(failure).body());
		return new Event(kind, name + new String(body, StandardCharsets.UTF_8), null, encode(name, null, body));
	}

	/** Last event of a stream that waits for a number. */
	static byte[] done(Snapshot snapshot) {
		return encode("done", EventId.ofDone(snapshot), snapshot.body());
	}

	/**
	 * JSON has no line feed outside of its strings' escapes, so that one line is enough.
	 */
	private static byte[] encode(String name, @Nullable String id, byte[] data) {
		String event = "event: " + name + (id == null ? "" : "\nid: " + id) + "\ndata: "
				+ new String(data, StandardCharsets.UTF_8) + "\n\n";
		return event.getBytes(StandardCharsets.UTF_8);
	}

}
