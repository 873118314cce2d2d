package dev.comfygateway.support;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;

/**
 * Callers that repeatedly send the same request without waiting for a response, each on a
 * separate connection. One thread serves all callers.
 */
public final class PipeliningCallers implements AutoCloseable {

	private static final int TIMEOUT_SECONDS = 60;

	private static final int CONNECT_MILLIS = 20_000;

	/** Number of requests per write. */
	private static final int BATCH = 100;

	/** Small, so unread responses soon fill it. */
	private static final int RECEIVE_BUFFER = 4 * 1024;

	private final Selector selector;

	private final AtomicInteger sending = new AtomicInteger();

	private final AtomicLong received = new AtomicLong();

	private final ByteBuffer discarded = ByteBuffer.allocateDirect(64 * 1024);

	private final int callers;

	private PipeliningCallers(int port, int callers, String request, int requests, boolean reads) throws IOException {
		this.selector = Selector.open();
		this.callers = callers;
		byte[] batch = request.repeat(Math.min(BATCH, requests)).getBytes(StandardCharsets.ISO_8859_1);
		int batches = Math.ceilDiv(requests, BATCH);
		for (int i = 0; i < callers; i++) {
			SocketChannel channel = SocketChannel.open();
			if (!reads) {
				channel.setOption(StandardSocketOptions.SO_RCVBUF, RECEIVE_BUFFER);
			}
			channel.socket().connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), CONNECT_MILLIS);
			channel.configureBlocking(false);
			channel.register(selector, reads ? SelectionKey.OP_READ | SelectionKey.OP_WRITE : SelectionKey.OP_WRITE,
					new Caller(channel, ByteBuffer.wrap(batch), batches));
		}
		this.sending.set(callers);
		Thread.ofPlatform().daemon().start(this::run);
	}

	/** Starts callers that never read the responses. */
	public static PipeliningCallers startWithoutReading(int port, int callers, String request, int requests)
			throws IOException {
		return new PipeliningCallers(port, callers, request, requests, false);
	}

	/** Starts callers that send continuously, and read and discard the responses. */
	public static PipeliningCallers startReading(int port, int callers, String request) throws IOException {
		return new PipeliningCallers(port, callers, request, Integer.MAX_VALUE, true);
	}

	/**
	 * Waits until all requests are sent or the socket buffers are full.
	 */
	public PipeliningCallers awaitStalled() {
		Awaitility.await().atMost(TIMEOUT_SECONDS, TimeUnit.SECONDS).until(() -> sending.get() == 0);
		return this;
	}

	/** Waits until this number of bytes per caller has been received. */
	public PipeliningCallers awaitReceived(long bytes) {
		Awaitility.await().atMost(TIMEOUT_SECONDS, TimeUnit.SECONDS).until(() -> received.get() >= bytes * callers);
		return this;
	}

	private void run() {
		try {
			while (selector.isOpen()) {
				selector.select(key -> ((Caller) key.attachment()).serve(key));
			}
		}
		catch (IOException | ClosedSelectorException ignored) {
			// Closed, which ends this thread
		}
	}

	@Override
	public void close() throws IOException {
		List<SelectionKey> keys = List.copyOf(selector.keys());
		selector.close();
		for (SelectionKey key : keys) {
			key.channel().close();
		}
	}

	private final class Caller {

		private final SocketChannel channel;

		private final ByteBuffer batch;

		private int batchesLeft;

		private boolean stalled;

		Caller(SocketChannel channel, ByteBuffer batch, int batchesLeft) {
			this.channel = channel;
			this.batch = batch;
			this.batchesLeft = batchesLeft;
		}

		void serve(SelectionKey key) {
			try {
				if (key.isReadable()) {
					discarded.clear();
					int count = channel.read(discarded);
					if (count < 0) {
						end(key);
						return;
					}
					received.addAndGet(count);
				}
				if (key.isWritable()) {
					send(key);
				}
			}
			catch (IOException e) {
				end(key);
			}
		}

		private void send(SelectionKey key) throws IOException {
			channel.write(batch);
			if (batch.hasRemaining()) {
				stall();
				return;
			}
			batch.rewind();
			batchesLeft--;
			if (batchesLeft == 0) {
				stall();
				key.interestOps(key.interestOps() & ~SelectionKey.OP_WRITE);
			}
		}

		private void end(SelectionKey key) {
			stall();
			key.cancel();
		}

		private void stall() {
			if (!stalled) {
				stalled = true;
				sending.decrementAndGet();
			}
		}

	}

}
