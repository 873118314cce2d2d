package dev.comfygateway.support;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Connection that sends arbitrary bytes. An HTTP client would refuse to send most
 * malformed requests.
 */
public final class RawConnection implements AutoCloseable {

	private static final int TIMEOUT_MILLIS = 20_000;

	private final Socket socket = new Socket();

	private final InputStream in;

	public RawConnection(int port) throws IOException {
		this(port, TIMEOUT_MILLIS);
	}

	/**
	 * Connects.
	 * @param timeoutMillis timeout of each read
	 */
	public RawConnection(int port, int timeoutMillis) throws IOException {
		socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), timeoutMillis);
		socket.setSoTimeout(timeoutMillis);
		in = new BufferedInputStream(socket.getInputStream());
	}

	/** Sends one request on a separate connection, and reads the response. */
	public static Response exchange(int port, String request) throws IOException {
		try (RawConnection connection = new RawConnection(port)) {
			return connection.send(request).read(request.startsWith("HEAD "));
		}
	}

	/** Sends a GET request. Each header is a complete line. */
	public static Response get(int port, String path, String... headers) throws IOException {
		return exchange(port, request("GET", path, headers));
	}

	public static String request(String method, String path, String... headers) {
		StringBuilder request = new StringBuilder("%s %s HTTP/1.1\r\nHost: localhost\r\n".formatted(method, path));
		for (String header : headers) {
			request.append(header).append("\r\n");
		}
		return request.append("\r\n").toString();
	}

	public RawConnection send(String bytes) throws IOException {
		socket.getOutputStream().write(bytes.getBytes(StandardCharsets.ISO_8859_1));
		socket.getOutputStream().flush();
		return this;
	}

	public Response read() throws IOException {
		return read(false);
	}

	/** Reads a response to HEAD. */
	public Response readHead() throws IOException {
		return read(true);
	}

	private Response read(boolean head) throws IOException {
		String statusLine = line();
		List<Map.Entry<String, String>> headers = new ArrayList<>();
		for (String line = line(); !line.isEmpty(); line = line()) {
			int colon = line.indexOf(':');
			headers.add(Map.entry(line.substring(0, colon), line.substring(colon + 1).strip()));
		}
		Response response = new Response(statusLine, headers, "");
		if (head || response.status() == 204 || response.status() == 304) {
			return response;
		}
		return new Response(statusLine, headers, body(response));
	}

	private String body(Response response) throws IOException {
		Optional<String> length = response.header("Content-Length");
		if (length.isPresent()) {
			return text(in.readNBytes(Integer.parseInt(length.get())));
		}
		if (response.header("Transfer-Encoding").isEmpty()) {
			return text(in.readAllBytes());
		}
		StringBuilder body = new StringBuilder();
		for (int size = chunkSize(); size > 0; size = chunkSize()) {
			body.append(text(in.readNBytes(size)));
			line();
		}
		line();
		return body.toString();
	}

	private int chunkSize() throws IOException {
		return Integer.parseInt(line(), 16);
	}

	/** Reads until the server closes the connection. */
	public String readToEnd() throws IOException {
		return text(in.readAllBytes());
	}

	/** Reads and discards up to this number of received bytes. */
	public void readSome(int max) {
		try {
			in.readNBytes(Math.min(max, in.available()));
		}
		catch (IOException ignored) {
			// The server has closed the connection
		}
	}

	private String line() throws IOException {
		ByteArrayOutputStream line = new ByteArrayOutputStream();
		for (int b = in.read(); b != '\n'; b = in.read()) {
			if (b < 0) {
				throw new EOFException("Closed after: " + text(line.toByteArray()));
			}
			line.write(b);
		}
		return text(line.toByteArray()).stripTrailing();
	}

	private static String text(byte[] bytes) {
		return new String(bytes, StandardCharsets.ISO_8859_1);
	}

	Socket socket() {
		return socket;
	}

	InputStream in() {
		return in;
	}

	/** Closes the connection with a TCP reset. */
	public void reset() throws IOException {
		socket.setSoLinger(true, 0);
		socket.close();
	}

	@Override
	public void close() throws IOException {
		socket.close();
	}

	/** Response as received. */
	public record Response(String statusLine, List<Map.Entry<String, String>> headers, String body) {

		public int status() {
			return Integer.parseInt(statusLine.split(" ")[1]);
		}

		public Optional<String> header(String name) {
			return headers.stream().filter(h -> h.getKey().equalsIgnoreCase(name)).map(Map.Entry::getValue).findFirst();
		}

		public List<String> headerNames() {
			return headers.stream().map(Map.Entry::getKey).toList();
		}

	}

}
