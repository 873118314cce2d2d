import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Connection that pipelines without pause: one thread sends requests, the other one reads
 * answers, and there are always several requests without an answer.
 * {@code java Pipeline.java url=… seconds=10}, and {@code headers=FILE} as
 * {@code ConstantRate} takes it. Where the server closes the connection, another one takes
 * its place.
 *
 * <p>
 * Their number is bounded. The packets of the loopback interface have up to 64 KiB; where
 * the receiver's window is smaller and full, Linux goes on after its persist timer of 200
 * ms only.
 */
public class Pipeline {

	/** 25 KiB of route traffic. */
	private static final int MAX_UNANSWERED = 16;

	private static final byte[] STATUS_LINE = { 'H', 'T', 'T', 'P', '/', '1', '.', '1', ' ' };

	private static final int SUCCESS = '2';

	private final URI uri;

	private final Request request;

	private long answers;

	private long errors;

	private long closed;

	private Pipeline(Map<String, String> options) throws IOException {
		this.uri = URI.create(options.get("url"));
		this.request = new Request(options, uri);
	}

	public static void main(String[] args) throws IOException, InterruptedException {
		Map<String, String> options = new HashMap<>();
		for (String arg : args) {
			int equals = arg.indexOf('=');
			options.put(arg.substring(0, equals), arg.substring(equals + 1));
		}
		int seconds = Integer.parseInt(options.get("seconds"));
		Pipeline pipeline = new Pipeline(options);
		long start = System.nanoTime();
		long end = start + TimeUnit.SECONDS.toNanos(seconds);
		while (System.nanoTime() < end) {
			pipeline.run(end);
		}
		System.out.printf("requests=%d errors=%d closed=%d rate=%.0f%n", pipeline.answers, pipeline.errors,
				pipeline.closed, pipeline.answers * 1e9 / (System.nanoTime() - start));
	}

	private void run(long end) throws IOException, InterruptedException {
		Thread writer;
		Semaphore permits = new Semaphore(MAX_UNANSWERED);
		try (Socket socket = new Socket(uri.getHost(), uri.getPort())) {
			socket.setTcpNoDelay(true);
			OutputStream out = socket.getOutputStream();
			writer = Thread.ofPlatform().start(() -> write(out, permits));
			read(socket.getInputStream(), permits, end);
			writer.interrupt();
		}
		writer.join();
	}

	private void write(OutputStream out, Semaphore permits) {
		try {
			while (true) {
				permits.acquire();
				out.write(batch(1 + permits.drainPermits()));
			}
		}
		catch (IOException | InterruptedException ignored) {
			// The connection has been closed, by the reader or by the server
		}
	}

	private byte[] batch(int requests) {
		ByteBuffer first = request.next();
		int length = first.remaining();
		byte[] batch = new byte[requests * length];
		first.get(batch, 0, length);
		for (int i = 1; i < requests; i++) {
			request.next().get(batch, i * length, length);
		}
		return batch;
	}

	private void read(InputStream in, Semaphore permits, long end) throws IOException {
		byte[] buffer = new byte[64 * 1024];
		int matched = 0;
		while (System.nanoTime() < end) {
			int n = readOrClosed(in, buffer);
			if (n < 0) {
				closed++;
				return;
			}
			for (int i = 0; i < n; i++) {
				byte next = buffer[i];
				if (matched == STATUS_LINE.length) {
					answers++;
					permits.release();
					if (next != SUCCESS) {
						errors++;
					}
					matched = 0;
				}
				else if (next == STATUS_LINE[matched]) {
					matched++;
				}
				else {
					matched = next == STATUS_LINE[0] ? 1 : 0;
				}
			}
		}
	}

	private static int readOrClosed(InputStream in, byte[] buffer) {
		try {
			return in.read(buffer);
		}
		catch (IOException ignored) {
			return -1;
		}
	}

}
