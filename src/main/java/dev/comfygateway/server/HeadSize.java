package dev.comfygateway.server;

import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpURI;
import org.eclipse.jetty.server.Request;
import org.jspecify.annotations.Nullable;

/**
 * Size of a request's head.
 *
 * @param fields number of its fields
 * @param target length of its path and query
 * @param text length of all its text
 * @param longest length of its longest text
 */
record HeadSize(int fields, int target, int text, int longest) {

	/** Bytes of heap of a header field, beside its text. */
	static final int FIELD = 80;

	/** Bytes of a line that are no text: colon, blank and line break. */
	private static final int LINE = 4;

	static HeadSize of(Request request) {
		HttpURI uri = request.getHttpURI();
		int target = length(uri.getPath()) + length(uri.getQuery());
		// Over HTTP/2 the host is no field
		int text = target + length(request.getMethod()) + length(uri.getHost());
		int longest = Math.max(target, Math.max(length(request.getMethod()), length(uri.getHost())));
		int fields = 0;
		for (HttpField field : request.getHeaders()) {
			int value = length(field.getValue());
			longest = Math.max(longest, value);
			text += value + length(field.getName());
			fields++;
		}
		return new HeadSize(fields, target, text, longest);
	}

	/** Bytes of heap. */
	int held() {
		return fields * FIELD + text;
	}

	/** Bytes in HTTP/1.1. */
	int sent() {
		return text + fields * LINE;
	}

	private static int length(@Nullable String text) {
		return text == null ? 0 : text.length();
	}

}
