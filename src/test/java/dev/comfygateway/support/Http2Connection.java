package dev.comfygateway.support;

import dev.comfygateway.support.RawConnection.Response;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.MetaData;
import org.eclipse.jetty.http2.hpack.HpackDecoder;
import org.eclipse.jetty.http2.hpack.HpackException;
import org.jspecify.annotations.Nullable;

/**
 * HTTP/2 connection without TLS, with prior knowledge, that sends arbitrary frames. An
 * HTTP/2 client would refuse to send most malformed ones.
 */
public final class Http2Connection implements AutoCloseable {

	public static final int DATA = 0;

	public static final int HEADERS = 1;

	public static final int RST_STREAM = 3;

	public static final int SETTINGS = 4;

	public static final int PING = 6;

	public static final int GO_AWAY = 7;

	public static final int WINDOW_UPDATE = 8;

	public static final int CONTINUATION = 9;

	/** Flag for the last frame of a stream (END_STREAM), and for an acknowledgement. */
	public static final int END_STREAM = 1;

	public static final int END_HEADERS = 4;

	private static final byte[] CANCEL = { 0, 0, 0, 8 };

	private static final String PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

	private static final int INITIAL_WINDOW_SIZE = 4;

	private static final int TIMEOUT_MILLIS = 20_000;

	private static final int MAX_HEAD = 64 * 1024;

	private static final int WINDOW = 65_535;

	private static final int MAX_FRAME = 16_384;

	private final Socket socket;

	private final DataInputStream in;

	private final HpackDecoder decoder = new HpackDecoder(MAX_HEAD, System::nanoTime);

	private final Map<Integer, Exchange> exchanges = new HashMap<>();

	private final int window;

	private int lastStream = -1;

	private @Nullable Integer goneAway;

	public Http2Connection(int port) throws IOException {
		this(port, TIMEOUT_MILLIS, WINDOW);
	}

	/**
	 * Connects.
	 * @param timeoutMillis timeout of each read
	 * @param window initial flow-control window of each stream, in bytes
	 */
	public Http2Connection(int port, int timeoutMillis, int window) throws IOException {
		this(new RawConnection(port, timeoutMillis), window);
	}

	private Http2Connection(RawConnection connection, int window) throws IOException {
		this.window = window;
		socket = connection.socket();
		socket.setTcpNoDelay(true);
		in = new DataInputStream(connection.in());
		write(PREFACE.getBytes(StandardCharsets.US_ASCII));
		send(SETTINGS, 0, 0, ByteBuffer.allocate(6).putShort((short) INITIAL_WINDOW_SIZE).putInt(window).array());
	}

	/** Continues an upgraded connection, on which the request is stream 1. */
	public static Http2Connection upgrade(RawConnection connection) throws IOException {
		Http2Connection upgraded = new Http2Connection(connection, WINDOW);
		upgraded.nextStream();
		return upgraded;
	}

	/** Sends one request, given in HTTP/1.1 format, on a separate connection. */
	public static Response exchange(int port, String request) throws IOException {
		try (Http2Connection connection = new Http2Connection(port)) {
			return connection.read(connection.request(request));
		}
	}

	/** Sends a GET request. Each header is a complete line. */
	public static Response get(int port, String path, String... headers) throws IOException {
		return exchange(port, RawConnection.request("GET", path, headers));
	}

	/**
	 * Sends a request.
	 * @param request the request in HTTP/1.1 format
	 * @return the id of its stream
	 */
	public int request(String request) throws IOException {
		int end = request.indexOf("\r\n\r\n");
		byte[] body = request.substring(end + 4).getBytes(StandardCharsets.ISO_8859_1);
		int stream = nextStream();
		byte[] head = head(request.substring(0, end));
		int flags = body.length == 0 ? END_STREAM : 0;
		int length = Math.min(head.length, MAX_FRAME);
		send(HEADERS, flags | (length == head.length ? END_HEADERS : 0), stream, Arrays.copyOf(head, length));
		for (int from = length; from < head.length; from += MAX_FRAME) {
			int to = Math.min(from + MAX_FRAME, head.length);
			send(CONTINUATION, to == head.length ? END_HEADERS : 0, stream, Arrays.copyOfRange(head, from, to));
		}
		if (body.length > 0) {
			send(DATA, END_STREAM, stream, body);
		}
		return stream;
	}

	/** Sends a request whose response is limited to the initial window. */
	public int requestWithoutReading(String request) throws IOException {
		int stream = request(request);
		exchange(stream).unread = true;
		return stream;
	}

	/** Returns the id of a new stream. */
	public int nextStream() {
		lastStream += 2;
		return lastStream;
	}

	/** Encodes the head of a request, given in HTTP/1.1 format, as a field block. */
	public static byte[] head(String head) {
		String[] lines = head.split("\r\n");
		String[] target = lines[0].split(" ");
		ByteArrayOutputStream block = new ByteArrayOutputStream();
		field(block, ":method", target[0]);
		field(block, ":scheme", "http");
		field(block, ":path", target[1].replaceFirst("^http://[^/]*", ""));
		for (int i = 1; i < lines.length; i++) {
			int colon = lines[i].indexOf(':');
			String name = lines[i].substring(0, colon).toLowerCase(Locale.ROOT);
			field(block, name.equals("host") ? ":authority" : name, lines[i].substring(colon + 1).strip());
		}
		return block.toByteArray();
	}

	/** Appends a literal field without indexing (RFC 7541 section 6.2.2). */
	public static void field(ByteArrayOutputStream block, String name, String value) {
		block.write(0);
		text(block, name);
		text(block, value);
	}

	private static void text(ByteArrayOutputStream block, String text) {
		if (text.length() < 127) {
			block.write(text.length());
		}
		else {
			block.write(127);
			int rest = text.length() - 127;
			for (; rest >= 128; rest >>= 7) {
				block.write(rest & 127 | 128);
			}
			block.write(rest);
		}
		block.writeBytes(text.getBytes(StandardCharsets.ISO_8859_1));
	}

	/** Sends a frame. */
	public Http2Connection send(int type, int flags, int stream, byte... payload) throws IOException {
		write(frame(type, flags, stream, payload));
		return this;
	}

	/** Encodes a frame. */
	public static byte[] frame(int type, int flags, int stream, byte... payload) {
		return ByteBuffer.allocate(9 + payload.length)
			.putInt(payload.length << 8 | type)
			.put((byte) flags)
			.putInt(stream)
			.put(payload)
			.array();
	}

	/** Sends the bytes unchanged. */
	public void write(byte[] bytes) throws IOException {
		socket.getOutputStream().write(bytes);
	}

	/** Reads until the response is complete. */
	public Response read(int stream) throws IOException {
		Exchange exchange = exchange(stream);
		while (!exchange.ended) {
			readFrame();
		}
		return exchange.response();
	}

	/** Reads until the head of a response has arrived, and returns its status. */
	public int awaitStatus(int stream) throws IOException {
		Exchange exchange = exchange(stream);
		while (exchange.head == null && !exchange.ended) {
			readFrame();
		}
		return exchange.response().status();
	}

	/** Reads until the body of a response contains the text. */
	public void awaitText(int stream, String text) throws IOException {
		Exchange exchange = exchange(stream);
		while (!exchange.body.toString(StandardCharsets.UTF_8).contains(text)) {
			if (exchange.ended) {
				throw new EOFException("Ended by error " + exchange.error + " after: " + exchange.body);
			}
			readFrame();
		}
	}

	/** Reads until the stream is reset, and returns the error code. */
	public int awaitReset(int stream) throws IOException {
		Exchange exchange = exchange(stream);
		while (exchange.error == null) {
			readFrame();
		}
		return exchange.error;
	}

	/** Reads until the server sends GOAWAY. */
	public void awaitGoAway() throws IOException {
		while (goneAway == null) {
			readFrame();
		}
	}

	/**
	 * Reads until the server closes the connection.
	 * @return the error code of the GOAWAY frame, or -1 if it was lost
	 */
	public int awaitEnd() throws IOException {
		try {
			while (true) {
				readFrame();
			}
		}
		catch (EOFException | SocketException closed) {
			return goneAway == null ? -1 : goneAway;
		}
	}

	/** Returns whether the server has closed the connection or has sent GOAWAY. */
	public boolean isGoneAway() {
		try {
			while (in.available() > 0) {
				readFrame();
			}
			return goneAway != null;
		}
		catch (IOException closed) {
			return true;
		}
	}

	/** Returns whether a response has begun and is incomplete. */
	public boolean isOpen(int stream) {
		return exchange(stream).head != null && !exchange(stream).ended;
	}

	private Exchange exchange(int stream) {
		return exchanges.computeIfAbsent(stream, ignored -> new Exchange());
	}

	private void readFrame() throws IOException {
		int first = in.readInt();
		int flags = in.readUnsignedByte();
		int stream = in.readInt();
		byte[] payload = in.readNBytes(first >>> 8);
		switch (first & 0xFF) {
			case SETTINGS -> {
				if ((flags & END_STREAM) == 0) {
					reply(SETTINGS, END_STREAM, 0);
				}
			}
			case HEADERS -> {
				exchange(stream).head(decode(payload));
				exchange(stream).ended |= (flags & END_STREAM) != 0;
			}
			case DATA -> {
				exchange(stream).body.writeBytes(payload);
				exchange(stream).ended |= (flags & END_STREAM) != 0;
				if (window > 0 && payload.length > 0) {
					byte[] more = ByteBuffer.allocate(4).putInt(payload.length).array();
					reply(WINDOW_UPDATE, 0, 0, more);
					if (!exchange(stream).unread && !exchange(stream).ended) {
						reply(WINDOW_UPDATE, 0, stream, more);
					}
				}
			}
			case RST_STREAM -> {
				exchange(stream).error = ByteBuffer.wrap(payload).getInt();
				exchange(stream).ended = true;
			}
			case GO_AWAY -> goneAway = ByteBuffer.wrap(payload).getInt(4);
			default -> {
			}
		}
	}

	/** Sends a frame, ignoring that the server may have closed the connection. */
	private void reply(int type, int flags, int stream, byte... payload) {
		try {
			send(type, flags, stream, payload);
		}
		catch (IOException ignored) {
			// The end of the connection is read later
		}
	}

	private MetaData decode(byte[] block) {
		try {
			return decoder.decode(ByteBuffer.wrap(block));
		}
		catch (HpackException.SessionException | HpackException.StreamException e) {
			throw new UncheckedIOException(new IOException(e));
		}
	}

	/** Resets a stream. */
	public void reset(int stream) throws IOException {
		send(RST_STREAM, 0, stream, CANCEL);
	}

	@Override
	public void close() throws IOException {
		socket.close();
	}

	/** Part of a response that has arrived. */
	private static final class Exchange {

		private @Nullable MetaData head;

		private final ByteArrayOutputStream body = new ByteArrayOutputStream();

		private boolean ended;

		private boolean unread;

		private @Nullable Integer error;

		void head(MetaData received) {
			head = received;
		}

		Response response() throws IOException {
			if (!(head instanceof MetaData.Response response)) {
				throw new EOFException("Reset by error " + error);
			}
			List<Map.Entry<String, String>> headers = new ArrayList<>();
			for (HttpField field : response.getHttpFields()) {
				headers.add(Map.entry(field.getName(), field.getValue()));
			}
			return new Response("HTTP/2 " + response.getStatus(), headers, body.toString(StandardCharsets.UTF_8));
		}

	}

}
