import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.net.URI;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Load generator with a constant rate (open loop). Requests are scheduled independent of
 * the responses to earlier ones. Latency is measured from the scheduled time, so a pause of
 * the server affects the latency of every request scheduled during the pause.
 *
 * <p>
 * {@code java ConstantRate.java url=http://127.0.0.1:8080/api/prompt seconds=10} and
 * <ul>
 * <li>{@code rate=1000}, requests per second
 * <li>{@code connections=64}
 * <li>{@code headers=FILE}, header fields, which differ in every request
 * <li>{@code warm-up=5}, seconds that are not counted, with {@code warm-up-url=} if given
 * <li>{@code awaited=URL}: the load starts at the first 200 of this URL; a line
 * {@code awaiting} is printed when polling begins
 * </ul>
 *
 * <p>
 * wrk and h2load do not support this. A single thread does all the work, to take less CPU
 * time from the server on the same machine.
 */
public class ConstantRate {

	private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

	private static final long POLL = TimeUnit.MICROSECONDS.toNanos(40);

	private final URI uri;

	private final Request request;

	private final Queue<Connection> idle = new ArrayDeque<>();

	private final Histogram latencies = new Histogram();

	private final Histogram lateness = new Histogram();

	/** Requests scheduled before this time are part of the warm-up. */
	private long countedFrom;

	private long answers;

	private long errors;

	ConstantRate(Map<String, String> options, URI uri) throws IOException {
		this.uri = uri;
		this.request = new Request(options, uri);
	}

	public static void main(String[] args) throws IOException {
		Map<String, String> options = new HashMap<>();
		for (String arg : args) {
			int equals = arg.indexOf('=');
			options.put(arg.substring(0, equals), arg.substring(equals + 1));
		}
		URI uri = URI.create(options.get("url"));
		double rate = Double.parseDouble(options.getOrDefault("rate", "0"));
		int connections = Integer.parseInt(options.getOrDefault("connections", "64"));
		int warmUp = Integer.parseInt(options.getOrDefault("warm-up", "0"));
		int seconds = Integer.parseInt(options.get("seconds"));
		sleepExactly();
		if (warmUp > 0) {
			URI warmUpUri = URI.create(options.getOrDefault("warm-up-url", options.get("url")));
			if (warmUpUri.equals(uri)) {
				System.out.println(new ConstantRate(options, uri).run(rate, warmUp, seconds, connections));
				return;
			}
			new ConstantRate(options, warmUpUri).run(rate, 0, warmUp, connections);
		}
		if (options.containsKey("awaited")) {
			System.out.println("awaiting");
			System.out.println("awaited_at=" + await(options, URI.create(options.get("awaited"))));
		}
		if (seconds > 0) {
			System.out.println(new ConstantRate(options, uri).run(rate, 0, seconds, connections));
		}
	}

	/** Reduces the timer slack, which is 50 microseconds by default. */
	private static void sleepExactly() {
		try {
			Path thread = Path.of("/proc/thread-self").toRealPath().getFileName();
			Files.writeString(Path.of("/proc/" + thread + "/timerslack_ns"), "1");
		}
		catch (IOException ignored) {
			// The printed lateness is then greater
		}
	}

	/** Polls every 5 ms, up to a minute, and returns the time of the first 200. */
	private static long await(Map<String, String> options, URI uri) throws IOException {
		long giveUp = System.nanoTime() + 60 * SECOND;
		ConstantRate once = new ConstantRate(options, uri);
		while (System.nanoTime() < giveUp) {
			try (SocketChannel channel = SocketChannel.open(new InetSocketAddress(uri.getHost(), uri.getPort()))) {
				Answer answer = new Answer();
				once.request.send(channel);
				while (answer.status() == 0 && answer.read(channel) >= 0) {
					if (answer.status() == 200) {
						return System.currentTimeMillis();
					}
				}
			}
			catch (IOException ignored) {
				// Not yet
			}
			LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
		}
		throw new IllegalStateException("No answer from " + uri);
	}

	private String run(double rate, int warmUp, int seconds, int connections) throws IOException {
		try (Selector selector = Selector.open()) {
			for (int i = 0; i < connections; i++) {
				connect(selector);
			}
			long start = System.nanoTime();
			countedFrom = start + warmUp * SECOND;
			timetable(selector, start, SECOND / rate, Math.round(rate * (warmUp + seconds)));
			for (SelectionKey key : selector.keys()) {
				key.channel().close();
			}
			return "errors=%d p50=%.3f p99=%.3f p999=%.3f max=%.3f late_p99=%.3f".formatted(errors,
					latencies.millis(0.5), latencies.millis(0.99), latencies.millis(0.999), latencies.millis(1),
					lateness.millis(0.99));
		}
	}

	private void connect(Selector selector) throws IOException {
		SocketChannel channel = SocketChannel.open(new InetSocketAddress(uri.getHost(), uri.getPort()));
		channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
		channel.configureBlocking(false);
		Connection connection = new Connection(channel);
		channel.register(selector, SelectionKey.OP_READ, connection);
		idle.add(connection);
	}

	private void timetable(Selector selector, long start, double interval, long count) throws IOException {
		long giveUp = start + Math.round(2 * interval * count) + 5 * SECOND;
		long sent = 0;
		while (answers + errors < count) {
			long now = System.nanoTime();
			if (now > giveUp) {
				// Requests that were never sent or never answered
				errors = count - answers;
				return;
			}
			long due = start + Math.round(sent * interval);
			while (sent < count && due <= now && !idle.isEmpty()) {
				Connection connection = idle.remove();
				if (connection.idleSince <= due && due >= countedFrom) {
					lateness.record(now - due);
				}
				send(connection, due);
				sent++;
				due = start + Math.round(sent * interval);
				now = System.nanoTime();
			}
			if (selector.selectNow(this::read) == 0) {
				long left = sent < count ? due - System.nanoTime() : POLL;
				LockSupport.parkNanos(left <= 0 ? POLL : Math.min(left, POLL));
			}
		}
	}

	private void send(Connection connection, long due) throws IOException {
		connection.due = due;
		connection.answer.clear();
		request.send(connection.channel);
	}

	private void read(SelectionKey key) {
		Connection connection = (Connection) key.attachment();
		try {
			if (connection.answer.read(connection.channel) < 0) {
				throw new IOException("The server closed a connection");
			}
			if (!connection.answer.isWhole()) {
				return;
			}
			if (connection.answer.status() != 200) {
				throw new IOException("Not 200 but " + connection.answer.status());
			}
			answers++;
			long now = System.nanoTime();
			if (connection.due >= countedFrom) {
				latencies.record(now - connection.due);
			}
			connection.idleSince = now;
			idle.add(connection);
		}
		catch (IOException e) {
			// None of the servers should do this, and a run with an error is invalid
			System.err.println(e.getMessage());
			System.exit(1);
		}
	}

	private static final class Connection {

		private final SocketChannel channel;

		private final Answer answer = new Answer();

		private long due;

		private long idleSince = Long.MIN_VALUE;

		Connection(SocketChannel channel) {
			this.channel = channel;
		}

	}

	/** Histogram of durations with a precision of one percent. */
	private static final class Histogram {

		private static final int STEPS = 128;

		private final long[] counts = new long[64 * STEPS];

		private long total;

		private long max;

		void record(long nanos) {
			long value = Math.max(STEPS, nanos);
			int exponent = 63 - Long.numberOfLeadingZeros(value / STEPS);
			counts[exponent * STEPS + (int) ((value >> exponent) - STEPS)]++;
			total++;
			max = Math.max(max, nanos);
		}

		double millis(double quantile) {
			long rank = Math.max(1, (long) Math.ceil(quantile * total));
			for (int i = 0; i < counts.length; i++) {
				rank -= counts[i];
				if (rank <= 0) {
					long upper = (long) (i % STEPS + STEPS + 1) << (i / STEPS);
					return Math.min(upper, max) / 1e6;
				}
			}
			return 0;
		}

	}

}
