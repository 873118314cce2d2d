package dev.comfygateway.prompt;

import java.util.Enumeration;

/** Reader of {@code If-None-Match} (RFC 9110 section 13.1.2), which compares weakly. */
final class EntityTags {

	private EntityTags() {
	}

	/**
	 * Whether a field names the tag, or any tag by {@code *}. Reading ends where the
	 * field is malformed: a caller is rather sent the whole answer than none.
	 * @param fields the field's lines
	 * @param etag a strong tag, quotes included
	 */
	static boolean match(Enumeration<String> fields, String etag) {
		while (fields.hasMoreElements()) {
			String field = fields.nextElement();
			if (field.equals(etag) || matches(field, etag)) {
				return true;
			}
		}
		return false;
	}

	private static boolean matches(String field, String etag) {
		if (field.strip().equals("*")) {
			return true;
		}
		int at = 0;
		while (at < field.length()) {
			char c = field.charAt(at);
			if (c == ' ' || c == '\t' || c == ',') {
				at++;
				continue;
			}
			int open = field.startsWith("W/", at) ? at + 2 : at;
			int close = open < field.length() && field.charAt(open) == '"' ? field.indexOf('"', open + 1) : -1;
			if (close < 0) {
				return false;
			}
			if (close + 1 - open == etag.length() && field.startsWith(etag, open)) {
				return true;
			}
			at = close + 1;
		}
		return false;
	}

}
