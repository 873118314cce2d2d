package dev.comfygateway.events;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Query parameters of a request for the stream. Other parameters are ignored and not
 * decoded.
 *
 * @param until queue length at or below which the stream ends; empty if it has no end
 * @param lastEventId id of the last event of an earlier stream, as polyfills send it
 */
record EventsQuery(OptionalLong until, @Nullable String lastEventId) {

	/**
	 * Parses a query.
	 * @throws IllegalArgumentException if {@code until} is not one number from 0 to
	 * 2^63-1
	 */
	static EventsQuery parse(@Nullable String query) {
		OptionalLong until = OptionalLong.empty();
		String lastEventId = null;
		for (String parameter : query == null ? new String[0] : query.split("&")) {
			String[] pair = parameter.split("=", 2);
			String value = pair.length == 1 ? "" : pair[1];
			if (pair[0].equals("until")) {
				if (until.isPresent()) {
					throw new IllegalArgumentException("More than one parameter until");
				}
				until = OptionalLong.of(number(decode(value)));
			}
			else if (pair[0].equals("lastEventId")) {
				lastEventId = decodeOrNull(value);
			}
		}
		return new EventsQuery(until, lastEventId);
	}

	private static String decode(String value) {
		return URLDecoder.decode(value, StandardCharsets.UTF_8);
	}

	private static @Nullable String decodeOrNull(String value) {
		try {
			return decode(value);
		}
		catch (IllegalArgumentException ignored) {
			// Not the id of an event
			return null;
		}
	}

	private static long number(String text) {
		if (text.isEmpty() || !text.chars().allMatch(c -> c >= '0' && c <= '9')) {
			throw new IllegalArgumentException("Not a number");
		}
		return Long.parseLong(text);
	}

	/**
	 * Returns whether the request is a reconnect after the {@code done} event of its
	 * stream.
	 */
	boolean isDone(@Nullable String lastEventIdHeader) {
		long limit = until.orElse(Long.MAX_VALUE);
		return EventId.isDone(lastEventIdHeader, limit) || EventId.isDone(lastEventId, limit);
	}

}
