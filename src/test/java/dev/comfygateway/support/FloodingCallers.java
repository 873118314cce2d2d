package dev.comfygateway.support;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Callers that send bytes on separate connections, read nothing and stay connected.
 */
public final class FloodingCallers implements AutoCloseable {

	private static final int TIMEOUT_SECONDS = 120;

	private static final int CONNECT_MILLIS = 20_000;

	private final List<SocketChannel> open = new ArrayList<>();

	private final AtomicInteger connected = new AtomicInteger();

	private final CompletableFuture<Void> sent;

	private FloodingCallers(int port, int callers, List<String> heads) {
		List<ByteBuffer> bytes = heads.stream()
			.map(head -> ByteBuffer.wrap(head.getBytes(StandardCharsets.ISO_8859_1)))
			.toList();
		this.sent = CompletableFuture.runAsync(() -> {
			for (int i = 0; i < callers; i++) {
				send(port, bytes.get(i % bytes.size()).duplicate());
			}
		}, task -> Thread.ofPlatform().daemon().start(task));
	}

	/** Starts the callers. Each sends one of the heads, assigned in turn. */
	public static FloodingCallers start(int port, int callers, List<String> heads) {
		return new FloodingCallers(port, callers, heads);
	}

	private void send(int port, ByteBuffer request) {
		try {
			SocketChannel caller = SocketChannel.open();
			open.add(caller);
			caller.socket().connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), CONNECT_MILLIS);
			connected.incrementAndGet();
			caller.configureBlocking(false);
			caller.write(request);
		}
		catch (IOException ignored) {
			// The server may close the connection, or accept it too late
		}
	}

	/** Number of callers whose connection was accepted, possibly only by the kernel. */
	public int connected() {
		return connected.get();
	}

	/** Returns whether all callers have sent as much as possible. */
	public boolean isSent() {
		return sent.isDone();
	}

	@Override
	public void close() throws IOException {
		sent.orTimeout(TIMEOUT_SECONDS, TimeUnit.SECONDS).join();
		for (SocketChannel caller : open) {
			caller.close();
		}
	}

}
