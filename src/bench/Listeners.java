import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Load generator with listeners of a stream whose number changes:
 * {@code java Listeners.java url=http://127.0.0.1:8080/api/prompt/events seconds=60} and
 * <ul>
 * <li>{@code change=URL?}: sets the number of the upstream, which is appended
 * <li>{@code every=2500}: milliseconds between changes
 * <li>{@code listeners=5000}: listeners that read
 * <li>{@code silent=1000}: additional listeners that never read, in the second part
 * <li>{@code silent-seconds=60}: duration of the second part
 * </ul>
 *
 * <p>
 * Each part ends with a line: the delay of events from the answer of the upstream
 * (according to their id) and from the change itself, the number of missing events, and
 * the number of reading listeners that were disconnected.
 */
public class Listeners {

	private static final long MILLISECOND = TimeUnit.MILLISECONDS.toNanos(1);

	private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

	/** Maximum delay of the last change of a part. */
	private static final long TIMEOUT = 10 * SECOND;

	/** Maximum number of connections being opened concurrently, below any backlog. */
	private static final int OPENED_AT_ONCE = 100;

	private static final String EVENT = "event: prompt\n";

	private final URI url;

	private final String change;

	private final long every;

	private final Selector selector;

	private final ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 16);

	private final Map<Long, Long> changedAt = new HashMap<>();

	private long number = System.currentTimeMillis() % 1_000_000;

	private long nextChange;

	private int readers;

	private int opening;

	private int closed;

	private int expected;

	private Latencies fromAnswer = new Latencies();

	private Latencies fromChange = new Latencies();

	private Listeners(Map<String, String> options, Selector selector) {
		this.url = URI.create(options.get("url"));
		this.change = options.get("change");
		this.every = Long.parseLong(options.getOrDefault("every", "2500")) * MILLISECOND;
		this.selector = selector;
	}

	public static void main(String[] args) throws IOException {
		Map<String, String> options = new HashMap<>();
		for (String arg : args) {
			int equals = arg.indexOf('=');
			options.put(arg.substring(0, equals), arg.substring(equals + 1));
		}
		try (Selector selector = Selector.open()) {
			Listeners listeners = new Listeners(options, selector);
			listeners.open(Integer.parseInt(options.getOrDefault("listeners", "5000")), false);
			System.out.println("listening");
			listeners.run("alone", Integer.parseInt(options.get("seconds")));
			int silent = Integer.parseInt(options.getOrDefault("silent", "0"));
			if (silent > 0) {
				listeners.open(silent, true);
				listeners.run("beside", Integer.parseInt(options.getOrDefault("silent-seconds", "60")));
			}
		}
	}

	/** Opens connections, and waits until the reading ones have received data. */
	private void open(int count, boolean silent) throws IOException {
		long giveUp = System.nanoTime() + 6 * TIMEOUT;
		int begun = 0;
		while (begun < count || opening > 0) {
			while (begun < count && opening < OPENED_AT_ONCE) {
				connect(silent);
				begun++;
			}
			step(System.nanoTime() + 10 * MILLISECOND);
			if (System.nanoTime() > giveUp) {
				throw new IOException(opening + " connections are not open yet");
			}
		}
	}

	private void connect(boolean silent) throws IOException {
		SocketChannel channel = SocketChannel.open();
		if (silent) {
			channel.setOption(StandardSocketOptions.SO_RCVBUF, 1);
		}
		channel.connect(new InetSocketAddress(url.getHost(), url.getPort()));
		channel.configureBlocking(false);
		channel.write(ByteBuffer.wrap("GET %s HTTP/1.1\r\nHost: %s\r\n\r\n".formatted(url.getPath(), url.getAuthority())
			.getBytes(StandardCharsets.US_ASCII)));
		if (silent) {
			// Kept open by its selection key without interest in any operation
			channel.register(selector, 0);
		}
		else {
			opening++;
			readers++;
			channel.register(selector, SelectionKey.OP_READ, new Listener());
		}
	}

	private void run(String part, int seconds) throws IOException {
		fromAnswer = new Latencies();
		fromChange = new Latencies();
		expected = 0;
		nextChange = System.nanoTime();
		long end = nextChange + seconds * SECOND;
		while (System.nanoTime() < end) {
			if (System.nanoTime() >= nextChange) {
				nextChange += every;
				number++;
				changedAt.put(number, System.nanoTime());
				URI.create(change + number).toURL().openStream().close();
				expected += readers - closed;
			}
			step(Math.min(end, nextChange));
		}
		while (fromChange.count < expected && System.nanoTime() < end + TIMEOUT) {
			step(end + TIMEOUT);
		}
		System.out.printf("%s events=%d lacking=%d closed=%d answer_p50=%.0f answer_p99=%.0f answer_max=%.0f"
				+ " change_p50=%.0f change_p99=%.0f change_max=%.0f%n", part, fromChange.count,
				expected - fromChange.count, closed, fromAnswer.at(0.5), fromAnswer.at(0.99), fromAnswer.at(1),
				fromChange.at(0.5), fromChange.at(0.99), fromChange.at(1));
	}

	private void step(long end) throws IOException {
		selector.select(this::ready, Math.max(1, (end - System.nanoTime()) / MILLISECOND));
	}

	private void ready(SelectionKey key) {
		Listener listener = (Listener) key.attachment();
		try {
			buffer.clear();
			if (((SocketChannel) key.channel()).read(buffer) < 0) {
				throw new IOException("The server closed it");
			}
			listener.unread += StandardCharsets.UTF_8.decode(buffer.flip());
			read(listener);
		}
		catch (IOException e) {
			key.cancel();
			closed++;
			if (closed <= 10) {
				System.err.println("  A listener was cut off: " + e.getMessage());
			}
		}
	}

	private void read(Listener listener) throws IOException {
		if (!listener.open) {
			if (!listener.unread.contains("\r\n\r\n")) {
				return;
			}
			if (!listener.unread.startsWith("HTTP/1.1 200 ")) {
				throw new IOException(listener.unread.lines().findFirst().orElse("No status"));
			}
			listener.open = true;
			opening--;
		}
		for (int at = listener.unread.indexOf(EVENT); at >= 0; at = listener.unread.indexOf(EVENT)) {
			int end = listener.unread.indexOf("\n\n", at);
			if (end < 0) {
				return;
			}
			count(listener.unread.substring(at, end));
			listener.unread = listener.unread.substring(end);
		}
		// The rest is the end of a chunk, or a comment
		listener.unread = listener.unread.substring(Math.max(0, listener.unread.length() - EVENT.length()));
	}

	private void count(String event) {
		Long since = changedAt.get(numberBehind("\"queue_remaining\":", event));
		if (since != null) {
			fromChange.add(System.nanoTime() - since);
			fromAnswer.add(Math.max(0, System.currentTimeMillis() - numberBehind("id: ", event)) * MILLISECOND);
		}
	}

	private static long numberBehind(String name, String event) {
		int begin = event.indexOf(name) + name.length();
		int end = begin;
		while (end < event.length() && Character.isDigit(event.charAt(end))) {
			end++;
		}
		return Long.parseLong(event, begin, end, 10);
	}

	private static final class Listener {

		private String unread = "";

		private boolean open;

	}

	private static final class Latencies {

		private long[] nanos = new long[1024];

		private int count;

		void add(long latency) {
			if (count == nanos.length) {
				nanos = Arrays.copyOf(nanos, 2 * count);
			}
			nanos[count++] = latency;
		}

		double at(double quantile) {
			Arrays.sort(nanos, 0, count);
			return count == 0 ? 0 : (double) nanos[(int) Math.ceil(quantile * count) - 1] / MILLISECOND;
		}

	}

}
