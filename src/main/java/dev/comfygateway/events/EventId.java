package dev.comfygateway.events;

import dev.comfygateway.cache.Snapshot;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Id of an event: the time of the observation in milliseconds. The id of a {@code done}
 * event also contains its type and its queue length, so that every replica recognizes a
 * reconnect after the end of a stream.
 */
final class EventId {

	private static final Pattern DONE = Pattern.compile("\\d{1,18}-done-(\\d{1,19})");

	private EventId() {
	}

	static String of(Snapshot snapshot) {
		return Long.toString(snapshot.observedAt().toEpochMilli());
	}

	/** Returns the id of a {@code done} event. The answer must have a queue length. */
	static String ofDone(Snapshot snapshot) {
		return of(snapshot) + "-done-" + Objects.requireNonNull(snapshot.promptInfo().remaining());
	}

	/**
	 * Returns whether a {@code done} event with this id ended a stream with this limit.
	 */
	static boolean isDone(@Nullable String id, long until) {
		Matcher done = DONE.matcher(id == null ? "" : id);
		try {
			return done.matches() && Long.parseLong(done.group(1)) <= until;
		}
		catch (NumberFormatException ignored) {
			// More than 64 bits
			return false;
		}
	}

}
