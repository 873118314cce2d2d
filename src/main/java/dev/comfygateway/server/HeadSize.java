package dev.comfygateway.server;

import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpURI;
import org.eclipse.jetty.server.Request;
import org.jspecify.annotations.Nullable;

/**
 * Size of a request's head.
 *
 * @param fields number of header fields
 * @param target length of its path and query
 * @param text total length of its text
 * @param longest length of the longest field name or value, method, host or target
 */
record HeadSize(int fields, int target, int text, int longest) {

	/**
	 * Bytes of heap of a header field in addition to its text: three objects and two
	 * arrays.
	 */
	static final int FIELD = 120;

	/** Bytes of heap of an HTTP/1.1 request in progress, in addition to its head. */
	private static final int REQUEST = 2 * 1024;

	/** Maximum bytes of heap of trailers, which are not charged. */
	private static final int MAX_TRAILERS = 1024;

	/** Bytes of a reference in an array. */
	private static final int REFERENCE = 4;

	/** Bytes of a line in addition to its text: colon, space and line break. */
	private static final int LINE = 4;

	static HeadSize of(Request request) {
		HttpURI uri = request.getHttpURI();
		int target = length(uri.getPath()) + length(uri.getQuery());
		// Over HTTP/2 the host is not a field
		int text = target + length(request.getMethod()) + length(uri.getHost());
		int longest = Math.max(target, Math.max(length(request.getMethod()), length(uri.getHost())));
		int fields = 0;
		for (HttpField field : request.getHeaders()) {
			int name = length(field.getName());
			int value = length(field.getValue());
			longest = Math.max(longest, Math.max(name, value));
			text += name + value;
			fields++;
		}
		return new HeadSize(fields, target, text, longest);
	}

	/** Returns whether trailers use more heap than those that are not charged. */
	static boolean areLargeTrailers(HttpFields trailers) {
		int heapBytes = trailers.stream()
			.mapToInt(field -> FIELD + length(field.getName()) + length(field.getValue()))
			.sum();
		return heapBytes > MAX_TRAILERS;
	}

	/** Estimated bytes of heap of a complete head. */
	int heapBytes() {
		return fields * FIELD + text;
	}

	/** Estimated bytes of heap of an HTTP/1.1 request in progress with this head. */
	int requestBytes() {
		return REQUEST + heapBytes();
	}

	/**
	 * Estimated bytes of heap of the buffers that a connection retains: for the longest
	 * text, and for references to the fields. They are up to twice as long as needed.
	 */
	int bufferBytes() {
		return 2 * (longest + fields * REFERENCE);
	}

	/** Estimated bytes of heap of the head while it arrives. */
	int incompleteBytes() {
		return fields * FIELD + http1Length() * IncompleteHead.BUFFERED_BYTE;
	}

	/** Size of the head in HTTP/1.1, in bytes. */
	int http1Length() {
		return text + fields * LINE;
	}

	private static int length(@Nullable String text) {
		return text == null ? 0 : text.length();
	}

}
