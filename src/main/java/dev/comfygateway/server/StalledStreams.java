package dev.comfygateway.server;

import java.util.Collections;
import java.util.Set;
import java.util.WeakHashMap;
import org.eclipse.jetty.http2.ErrorCode;
import org.eclipse.jetty.http2.HTTP2Stream;
import org.eclipse.jetty.http2.frames.ResetFrame;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.util.Callback;

/**
 * Timeout of streams whose callers do not read. One that must not send at two looks in a
 * row is reset.
 */
final class StalledStreams {

	private Set<HTTP2Stream> seen = Set.of();

	private Set<HTTP2Stream> present = newSet();

	/** Looks at the streams of a connection. */
	void look(Connection connection) {
		for (HTTP2Stream stream : Http2.stalled(connection)) {
			if (seen.contains(stream)) {
				stream.reset(new ResetFrame(stream.getId(), ErrorCode.CANCEL_STREAM_ERROR.code), Callback.NOOP);
			}
			else {
				present.add(stream);
			}
		}
	}

	/** Ends a look at all connections. */
	void end() {
		seen = present;
		present = newSet();
	}

	/** Weak, so that an ended stream does not hold its heap until the next look. */
	private static Set<HTTP2Stream> newSet() {
		return Collections.newSetFromMap(new WeakHashMap<>());
	}

}
