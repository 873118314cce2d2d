package dev.comfygateway.support.redis;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** RESP 2 connection, with one character per byte. */
final class RedisConnection implements AutoCloseable {

	private static final int TIMEOUT_MILLIS = 1_000;

	private final Socket socket = new Socket();

	private final InputStream in;

	RedisConnection(int port) throws IOException {
		socket.connect(new InetSocketAddress(InetAddress.getByName(RedisServer.HOST), port), TIMEOUT_MILLIS);
		socket.setSoTimeout(TIMEOUT_MILLIS);
		in = new BufferedInputStream(socket.getInputStream());
	}

	String command(String... words) throws IOException {
		StringBuilder command = new StringBuilder("*%s\r\n".formatted(words.length));
		for (String word : words) {
			command.append("$%s\r\n".formatted(word.length())).append(word).append("\r\n");
		}
		socket.getOutputStream().write(command.toString().getBytes(StandardCharsets.ISO_8859_1));
		return reply();
	}

	String reply() throws IOException {
		String line = line();
		String value = line.substring(1);
		return switch (line.charAt(0)) {
			case '+', ':' -> value;
			case '-' -> line;
			case '$' -> (value.equals("-1")) ? RedisServer.NIL : bulk(Integer.parseInt(value));
			case '*' -> (value.equals("-1")) ? RedisServer.NIL : array(Integer.parseInt(value));
			default -> throw new ProtocolException(line);
		};
	}

	private String bulk(int length) throws IOException {
		String value = new String(in.readNBytes(length), StandardCharsets.ISO_8859_1);
		line();
		return value;
	}

	private String array(int length) throws IOException {
		List<String> elements = new ArrayList<>();
		for (int i = 0; i < length; i++) {
			elements.add(reply());
		}
		return String.join("\n", elements);
	}

	private String line() throws IOException {
		StringBuilder line = new StringBuilder();
		for (int b = in.read(); b != '\n'; b = in.read()) {
			if (b < 0) {
				throw new EOFException("Closed after: " + line);
			}
			line.append((char) b);
		}
		return line.substring(0, line.length() - 1);
	}

	void waitWithoutBound() throws IOException {
		socket.setSoTimeout(0);
	}

	@Override
	public void close() throws IOException {
		socket.close();
	}

}
