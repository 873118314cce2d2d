package dev.comfygateway.simulator;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * Connection of a client. One thread reads and another responds, to detect a disconnected
 * client while its request waits.
 */
final class Connection {

	private static final int MAX_LINE = 64 * 1024;

	private final SimulatedComfyCloud server;

	private final Socket socket;

	private final BlockingQueue<Runnable> requests = new LinkedBlockingQueue<>();

	private final CompletableFuture<Void> gone = new CompletableFuture<>();

	Connection(SimulatedComfyCloud server, Socket socket) {
		this.server = server;
		this.socket = socket;
	}

	/** Reads requests until the client closes its side. */
	void read() {
		try (Socket closed = socket) {
			InputStream in = new BufferedInputStream(closed.getInputStream());
			if (!speaksHttp(in)) {
				refuse(in);
				return;
			}
			Received request = next(in);
			while (request != null) {
				Received arrived = request;
				requests.add(() -> server.handle(arrived, this));
				request = next(in);
			}
		}
		catch (IOException ignored) {
			// The client has closed the connection
		}
		finally {
			gone.complete(null);
			requests.add(() -> {
			});
		}
	}

	/** Responds to requests until the client closes the connection. */
	void serve() {
		try {
			while (!gone.isDone() || !requests.isEmpty()) {
				requests.take().run();
			}
		}
		catch (InterruptedException ignored) {
			Thread.currentThread().interrupt();
		}
	}

	Socket socket() {
		return socket;
	}

	/** Completes when the client has closed the connection. */
	CompletableFuture<Void> gone() {
		return gone;
	}

	private static boolean speaksHttp(InputStream in) throws IOException {
		in.mark(1);
		int first = in.read();
		in.reset();
		return first < 0 || Character.isUpperCase(first);
	}

	/** Responds with 400 to bytes that are not HTTP, such as a TLS handshake. */
	private void refuse(InputStream in) throws IOException {
		socket.getOutputStream()
			.write("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
				.getBytes(StandardCharsets.US_ASCII));
		socket.shutdownOutput();
		in.transferTo(OutputStream.nullOutputStream());
	}

	private static @Nullable Received next(InputStream in) throws IOException {
		String requestLine = line(in);
		if (requestLine == null) {
			return null;
		}
		String[] parts = requestLine.split(" ", 3);
		if (parts.length < 3) {
			throw new IOException("Not HTTP: " + requestLine);
		}
		List<String> headerLines = new ArrayList<>();
		String line = lineOrFail(in);
		while (!line.isEmpty()) {
			headerLines.add(line);
			line = lineOrFail(in);
		}
		Received head = new Received(parts[0], parts[1], List.copyOf(headerLines), 0);
		long length = head.header("Transfer-Encoding").isEmpty() ? declaredBody(head, in) : chunkedBody(in);
		return new Received(head.method(), head.target(), head.headerLines(), length);
	}

	private static long declaredBody(Received head, InputStream in) throws IOException {
		List<String> declared = head.header("Content-Length");
		long length = declared.isEmpty() ? 0 : Long.parseLong(declared.getFirst());
		in.skipNBytes(length);
		return length;
	}

	private static long chunkedBody(InputStream in) throws IOException {
		long length = 0;
		long chunk = Long.parseLong(lineOrFail(in), 16);
		while (chunk > 0) {
			in.skipNBytes(chunk);
			lineOrFail(in);
			length += chunk;
			chunk = Long.parseLong(lineOrFail(in), 16);
		}
		while (!lineOrFail(in).isEmpty()) {
			// trailers
		}
		return length;
	}

	private static String lineOrFail(InputStream in) throws IOException {
		String line = line(in);
		if (line == null) {
			throw new EOFException();
		}
		return line;
	}

	private static @Nullable String line(InputStream in) throws IOException {
		ByteArrayOutputStream line = new ByteArrayOutputStream();
		int read = in.read();
		while (read >= 0 && read != '\n' && line.size() < MAX_LINE) {
			line.write(read);
			read = in.read();
		}
		return read < 0 ? null : line.toString(StandardCharsets.ISO_8859_1).replace("\r", "");
	}

}
