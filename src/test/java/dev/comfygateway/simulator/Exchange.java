package dev.comfygateway.simulator;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** Request and the methods to respond to it. */
final class Exchange {

	private static final String NEWLINE = "\r\n";

	private final SimulatedComfyCloud server;

	private final Received request;

	private final Socket socket;

	private final CompletableFuture<Void> gone;

	private final AtomicBoolean over = new AtomicBoolean();

	private final Runnable whenOver;

	Exchange(SimulatedComfyCloud server, Received request, Connection connection, Runnable whenOver) {
		this.server = server;
		this.request = request;
		this.socket = connection.socket();
		this.gone = connection.gone();
		this.whenOver = whenOver;
	}

	/**
	 * Counts the request as no longer in flight. Called before the response is sent,
	 * since the client's next request would otherwise appear to overlap.
	 */
	void end() {
		if (over.compareAndSet(false, true)) {
			whenOver.run();
		}
	}

	boolean isClientGone() {
		return gone.isDone();
	}

	void awaitClientGone() {
		gone.join();
	}

	boolean isClientGoneWithinAMoment() {
		CompletableFuture<Void> moment = new CompletableFuture<Void>().completeOnTimeout(null, 20,
				TimeUnit.MILLISECONDS);
		CompletableFuture.anyOf(gone, moment).join();
		return isClientGone();
	}

	void answerNormally() throws IOException {
		server.answerNormally(request, this);
	}

	void answer(int status, Map<String, String> headers, byte[] body) throws IOException {
		Map<String, String> all = new LinkedHashMap<>(headers);
		if (!has(all, "Content-Type")) {
			all.put("Content-Type", "application/json; charset=utf-8");
		}
		if (!has(all, "Content-Length") && !has(all, "Transfer-Encoding") && status != 304 && status != 204) {
			all.put("Content-Length", Integer.toString(body.length));
		}
		StringBuilder head = new StringBuilder("HTTP/1.1 ").append(status).append(' ').append(NEWLINE);
		all.forEach((name, value) -> head.append(name).append(": ").append(value).append(NEWLINE));
		ByteArrayOutputStream whole = new ByteArrayOutputStream();
		whole.writeBytes(head.append(NEWLINE).toString().getBytes(StandardCharsets.ISO_8859_1));
		whole.writeBytes(body);
		end();
		write(whole.toByteArray());
	}

	void write(String text) throws IOException {
		write(text.getBytes(StandardCharsets.UTF_8));
	}

	void write(byte[] bytes) throws IOException {
		socket.getOutputStream().write(bytes);
	}

	void close() throws IOException {
		end();
		socket.close();
	}

	/** Closes the connection with a TCP reset, like a crash. */
	void reset() throws IOException {
		end();
		socket.setSoLinger(true, 0);
		socket.close();
	}

	private static boolean has(Map<String, String> headers, String name) {
		return headers.keySet().stream().anyMatch(name::equalsIgnoreCase);
	}

}
