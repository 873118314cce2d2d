package dev.comfygateway.cache;

import dev.comfygateway.upstream.DeltaSeconds;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Request directives of {@code Cache-Control} or {@code Pragma} (RFC 9111 section 5.2.1).
 * Unknown and malformed ones are ignored.
 *
 * @param maxAgeNanos maximum age of an acceptable answer, in nanoseconds;
 * {@link Long#MAX_VALUE} if any age is acceptable
 * @param onlyIfCached whether no upstream request may be made for this caller
 */
public record RequestDirectives(long maxAgeNanos, boolean onlyIfCached) {

	/** No directives. */
	public static final RequestDirectives NONE = new RequestDirectives(Long.MAX_VALUE, false);

	/** {@code no-cache}. */
	static final RequestDirectives NO_CACHE = new RequestDirectives(0, false);

	/**
	 * Parses the two headers.
	 * @param cacheControl the lines of {@code Cache-Control}
	 * @param pragma the value of {@code Pragma}, which is ignored if there is a
	 * {@code Cache-Control}; null if absent
	 */
	public static RequestDirectives of(List<String> cacheControl, @Nullable String pragma) {
		if (cacheControl.isEmpty()) {
			return pragma != null && pragma.strip().equalsIgnoreCase("no-cache") ? NO_CACHE : NONE;
		}
		long maxAge = Long.MAX_VALUE;
		boolean onlyIfCached = false;
		for (String field : cacheControl) {
			for (String directive : split(field)) {
				int equals = directive.indexOf('=');
				String name = (equals < 0 ? directive : directive.substring(0, equals)).strip();
				String argument = equals < 0 ? null : unquote(directive.substring(equals + 1).strip());
				if (name.equalsIgnoreCase("no-cache") && argument == null) {
					maxAge = 0;
				}
				else if (name.equalsIgnoreCase("only-if-cached") && argument == null) {
					onlyIfCached = true;
				}
				else if (name.equalsIgnoreCase("max-age") && argument != null) {
					maxAge = Math.min(maxAge, nanos(argument));
				}
			}
		}
		return new RequestDirectives(maxAge, onlyIfCached);
	}

	private static long nanos(String argument) {
		return TimeUnit.SECONDS.toNanos(DeltaSeconds.parse(argument).orElse(Long.MAX_VALUE));
	}

	/** Splits a list at its commas, except those in a quoted string. */
	private static List<String> split(String list) {
		List<String> elements = new ArrayList<>();
		int begin = 0;
		boolean quoted = false;
		for (int i = 0; i < list.length(); i++) {
			char c = list.charAt(i);
			if (c == '"') {
				quoted = !quoted;
			}
			else if (c == '\\' && quoted) {
				i++;
			}
			else if (c == ',' && !quoted) {
				elements.add(list.substring(begin, i));
				begin = i + 1;
			}
		}
		elements.add(list.substring(begin));
		return elements;
	}

	private static String unquote(String value) {
		boolean quoted = value.length() > 1 && value.startsWith("\"") && value.endsWith("\"");
		return quoted ? value.substring(1, value.length() - 1) : value;
	}
}
