import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;

/**
 * Received part of an HTTP response. If the response is chunked, only its end is detected;
 * the chunks are not parsed.
 */
final class Answer {

	private static final String STATUS_LINE = "HTTP/1.1 ";

	private static final String LAST_CHUNK = "\r\n0\r\n\r\n";

	private final ByteBuffer bytes = ByteBuffer.allocateDirect(4096);

	void clear() {
		bytes.clear();
	}

	/** Number of bytes read, or -1 if the server has closed the connection. */
	int read(SocketChannel channel) throws IOException {
		return channel.read(bytes);
	}

	/** Status, or 0 if the status line has not arrived yet. */
	int status() throws IOException {
		int end = STATUS_LINE.length() + 3;
		if (bytes.position() < end) {
			return 0;
		}
		if (!startsWith(0, STATUS_LINE)) {
			throw new IOException("Not an answer of HTTP/1.1: " + text());
		}
		return number(STATUS_LINE.length(), end);
	}

	boolean isWhole() throws IOException {
		int end = bytes.position();
		int bodyLength = 0;
		boolean chunked = false;
		for (int i = 0; i + 3 < end; i++) {
			if (bytes.get(i) != '\r' || bytes.get(i + 1) != '\n') {
				continue;
			}
			if (bytes.get(i + 2) == '\r') {
				if (chunked) {
					return startsWith(end - LAST_CHUNK.length(), LAST_CHUNK);
				}
				int expected = i + 4 + bodyLength;
				if (end > expected) {
					throw new IOException("More than one answer: " + text());
				}
				return end == expected;
			}
			chunked |= startsWith(i + 2, "transfer-encoding: chunked");
			if (startsWith(i + 2, "content-length:")) {
				bodyLength = number(i + 2 + "content-length:".length(), end);
			}
		}
		return false;
	}

	private boolean startsWith(int at, String text) {
		if (at + text.length() > bytes.position()) {
			return false;
		}
		for (int i = 0; i < text.length(); i++) {
			if (Character.toLowerCase(bytes.get(at + i)) != Character.toLowerCase(text.charAt(i))) {
				return false;
			}
		}
		return true;
	}

	private int number(int from, int to) {
		int number = 0;
		for (int i = from; i < to && bytes.get(i) != '\r'; i++) {
			if (bytes.get(i) != ' ') {
				number = 10 * number + bytes.get(i) - '0';
			}
		}
		return number;
	}

	private String text() {
		return StandardCharsets.ISO_8859_1.decode(bytes.duplicate().flip()).toString();
	}

}
