import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Load generator with a timetable: requests are due at a constant rate, whatever becomes
 * of those before, and a latency counts from the time when a request was due, so that a
 * pause of the server shows in every request that fell into it. Without a rate, each
 * connection asks again as soon as it is answered.
 *
 * <p>
 * {@code java ConstantRate.java url=http://127.0.0.1:8080/api/prompt seconds=10} and
 * <ul>
 * <li>{@code rate=1000}, requests per second
 * <li>{@code connections=64}
 * <li>{@code method=HEAD}, {@code status=304} (the one expected), {@code header=Name:value}
 * <li>{@code warm-up=5}, seconds that are not counted, of {@code warm-up-url=} if given
 * <li>{@code awaited=URL}: the timetable starts when that first answers 200
 * </ul>
 *
 * <p>
 * wrk and h2load have no such timetable, and wait for the body that an answer to
 * {@code HEAD} never has. One thread does all: it takes less from the server beside it
 * than many would.
 */
public class ConstantRate {

	private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

	private static final long POLL = TimeUnit.MICROSECONDS.toNanos(40);

	private final String method;

	private final URI uri;

	private final boolean bodyless;

	private final String statusLine;

	private final ByteBuffer request;

	private final Queue<Connection> idle = new ArrayDeque<>();

	private final Histogram latencies = new Histogram();

	private final Histogram lateness = new Histogram();

	private boolean closedLoop;

	/** Requests that are due earlier are a warm-up. */
	private long countedFrom;

	private long answers;

	private long errors;

	ConstantRate(Map<String, String> options, URI uri) {
		this.uri = uri;
		this.method = options.getOrDefault("method", "GET");
		String status = options.getOrDefault("status", "200");
		this.bodyless = method.equals("HEAD") || status.equals("304");
		this.statusLine = "HTTP/1.1 " + status;
		String header = options.containsKey("header") ? options.get("header") + "\r\n" : "";
		byte[] bytes = "%s %s HTTP/1.1\r\nHost: %s\r\n%s\r\n".formatted(method, uri.getPath(), uri.getAuthority(), header)
			.getBytes(StandardCharsets.ISO_8859_1);
		this.request = ByteBuffer.allocateDirect(bytes.length).put(bytes);
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
			System.out.println("awaited_at=" + await(options, URI.create(options.get("awaited"))));
		}
		if (seconds > 0) {
			System.out.println(new ConstantRate(options, uri).run(rate, 0, seconds, connections));
		}
	}

	/** The kernel lets timers go off 50 microseconds late. */
	private static void sleepExactly() {
		try {
			Path thread = Path.of("/proc/thread-self").toRealPath().getFileName();
			Files.writeString(Path.of("/proc/" + thread + "/timerslack_ns"), "1");
		}
		catch (IOException ignored) {
			// Then the lateness that is printed is greater
		}
	}

	/** Asks every 5 ms, for a minute, and tells the time of the first 200. */
	private static long await(Map<String, String> options, URI uri) {
		long giveUp = System.nanoTime() + 60 * SECOND;
		while (System.nanoTime() < giveUp) {
			ConstantRate once = new ConstantRate(options, uri);
			try (SocketChannel channel = SocketChannel.open(new InetSocketAddress(uri.getHost(), uri.getPort()))) {
				Connection connection = new Connection(channel);
				channel.write(once.request.rewind());
				while (channel.read(connection.answer) >= 0) {
					if (startsWith(connection.answer, 0, "HTTP/1.1 200")) {
						return System.currentTimeMillis();
					}
					if (connection.answer.position() >= "HTTP/1.1 200".length()) {
						break;
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
		closedLoop = rate == 0;
		try (Selector selector = Selector.open()) {
			for (int i = 0; i < connections; i++) {
				connect(selector);
			}
			long start = System.nanoTime();
			if (closedLoop) {
				closedLoop(selector, start + (warmUp + seconds) * SECOND);
			}
			else {
				countedFrom = start + warmUp * SECOND;
				timetable(selector, start, SECOND / rate, Math.round(rate * (warmUp + seconds)));
			}
			double took = (System.nanoTime() - start) / 1e9;
			for (SelectionKey key : selector.keys()) {
				key.channel().close();
			}
			return "requests=%d errors=%d rate=%.0f p50=%.3f p99=%.3f p999=%.3f max=%.3f late_p50=%.3f late_p99=%.3f"
				.formatted(answers, errors, answers / took, latencies.millis(0.5), latencies.millis(0.99),
						latencies.millis(0.999), latencies.millis(1), lateness.millis(0.5), lateness.millis(0.99));
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

	private void closedLoop(Selector selector, long end) throws IOException {
		for (Connection connection : idle) {
			send(connection, System.nanoTime());
		}
		for (long now = System.nanoTime(); now < end; now = System.nanoTime()) {
			selector.select(this::read, Math.max(1, TimeUnit.NANOSECONDS.toMillis(end - now)));
		}
	}

	private void timetable(Selector selector, long start, double interval, long count) throws IOException {
		long giveUp = start + Math.round(2 * interval * count) + 5 * SECOND;
		long sent = 0;
		while (answers + errors < count) {
			long now = System.nanoTime();
			if (now > giveUp) {
				// Those that were due and never sent, or sent and never answered
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
		connection.channel.write(request.rewind());
	}

	private void read(SelectionKey key) {
		Connection connection = (Connection) key.attachment();
		try {
			if (connection.channel.read(connection.answer) < 0) {
				throw new IOException("The server closed a connection");
			}
			if (!isWhole(connection.answer)) {
				return;
			}
			answers++;
			long now = System.nanoTime();
			if (closedLoop || connection.due >= countedFrom) {
				latencies.record(now - connection.due);
			}
			if (closedLoop) {
				send(connection, now);
			}
			else {
				connection.idleSince = now;
				idle.add(connection);
			}
		}
		catch (IOException e) {
			// No server here has a reason to, and a run with an error does not count
			System.err.println(e.getMessage());
			System.exit(1);
		}
	}

	private boolean isWhole(ByteBuffer answer) throws IOException {
		int end = answer.position();
		int bodyLength = 0;
		for (int i = 0; i + 3 < end; i++) {
			if (answer.get(i) != '\r' || answer.get(i + 1) != '\n') {
				continue;
			}
			if (answer.get(i + 2) == '\r') {
				int expected = i + 4 + (bodyless ? 0 : bodyLength);
				if (end > expected || !startsWith(answer, 0, statusLine)) {
					throw new IOException("Not the answer that was expected");
				}
				return end == expected;
			}
			if (startsWith(answer, i + 2, "content-length:")) {
				bodyLength = number(answer, i + 2 + "content-length:".length());
			}
		}
		return false;
	}

	private static boolean startsWith(ByteBuffer answer, int at, String text) {
		if (at + text.length() > answer.position()) {
			return false;
		}
		for (int i = 0; i < text.length(); i++) {
			if (Character.toLowerCase(answer.get(at + i)) != Character.toLowerCase(text.charAt(i))) {
				return false;
			}
		}
		return true;
	}

	private static int number(ByteBuffer answer, int at) {
		int number = 0;
		for (int i = at; i < answer.position() && answer.get(i) != '\r'; i++) {
			if (answer.get(i) != ' ') {
				number = 10 * number + answer.get(i) - '0';
			}
		}
		return number;
	}

	private static final class Connection {

		private final SocketChannel channel;

		private final ByteBuffer answer = ByteBuffer.allocateDirect(4096);

		private long due;

		private long idleSince = Long.MIN_VALUE;

		Connection(SocketChannel channel) {
			this.channel = channel;
		}

	}

	/** Counts by duration, to within one percent. */
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
