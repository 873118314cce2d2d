package dev.comfygateway.cache;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Request directives of {@code Cache-Control} or {@code Pragma} (RFC 9111 section 5.2.1).
 * Unknown and malformed ones are ignored.
 *
 * @param maxAgeNanos maximum age of an acceptable answer, in nanoseconds;
 * {@link Long#MAX_VALUE} for any
 * @param onlyIfCached whether no request may be made for this caller
 */
public record RequestDirectives(long maxAgeNanos, boolean onlyIfCached) {

	/** Absence of directives. */
	public static final RequestDirectives NONE = new RequestDirectives(Long.MAX_VALUE, false);

	/** {@code no-cache}. */
	static final RequestDirectives NO_CACHE = new RequestDirectives(0, false);

	/**
	 * Reads the two headers.
	 * @param cacheControl the lines of {@code Cache-Control}
	 * @param pragma {@code Pragma}, which is ignored beside {@code Cache-Control}
	 */
	public static RequestDirectives of(List<String> cacheControl, @Nullable String pragma) {
		if (cacheControl.isEmpty()) {
			return pragma != null && pragma.strip().equalsIgnoreCase("no-cache") ? NO_CACHE : NONE;
		}
		long maxAge = Long.MAX_VALUE;
		boolean onlyIfCached = false;
		for (String field : cacheControl) {
			DirectiveReader reader = new DirectiveReader(field);
			while (reader.next()) {
				if (reader.is("no-cache") && reader.argument == null) {
					maxAge = 0;
				}
				else if (reader.is("only-if-cached") && reader.argument == null) {
					onlyIfCached = true;
				}
				else if (reader.is("max-age") && reader.argument != null) {
					maxAge = Math.min(maxAge, nanos(reader.argument));
				}
			}
		}
		return new RequestDirectives(maxAge, onlyIfCached);
	}

	private static long nanos(String seconds) {
		if (seconds.isEmpty() || !seconds.chars().allMatch(c -> c >= '0' && c <= '9')) {
			return Long.MAX_VALUE;
		}
		String digits = seconds.replaceFirst("^0+(?=.)", "");
		// A longer number exceeds the age of any answer
		return digits.length() > 9 ? Long.MAX_VALUE : TimeUnit.SECONDS.toNanos(Long.parseLong(digits));
	}

	/** Reader of a list of {@code name}, {@code name=token} and {@code name="text"}. */
	private static final class DirectiveReader {

		private final String text;

		private int at;

		private String name = "";

		private @Nullable String argument;

		DirectiveReader(String text) {
			this.text = text;
		}

		boolean is(String directive) {
			return name.equalsIgnoreCase(directive);
		}

		/** Moves to the next directive; one that is malformed has no name. */
		boolean next() {
			if (at >= text.length()) {
				return false;
			}
			int end = endOfElement();
			String element = text.substring(at, end);
			at = end + 1;
			int equals = element.indexOf('=');
			name = (equals < 0 ? element : element.substring(0, equals)).strip();
			argument = equals < 0 ? null : unquote(element.substring(equals + 1).strip());
			return true;
		}

		/** End of the directive: the next comma outside of quotes. */
		private int endOfElement() {
			boolean quoted = false;
			for (int i = at; i < text.length(); i++) {
				char c = text.charAt(i);
				if (c == '"') {
					quoted = !quoted;
				}
				else if (c == '\\' && quoted) {
					i++;
				}
				else if (c == ',' && !quoted) {
					return i;
				}
			}
			return text.length();
		}

		private static String unquote(String value) {
			boolean quoted = value.length() > 1 && value.startsWith("\"") && value.endsWith("\"");
			return quoted ? value.substring(1, value.length() - 1) : value;
		}

	}
}
