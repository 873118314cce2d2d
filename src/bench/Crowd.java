import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.net.URI;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.TimeUnit;

/**
 * Load generator for a crowd of concurrent callers:
 * {@code java Crowd.java url=http://127.0.0.1:8080/api/prompt seconds=20} and
 * <ul>
 * <li>{@code idle=5000}: connections that have sent one request and stay open
 * <li>{@code half-sent=500}: connections that have sent three quarters of a request
 * <li>{@code waiting=1000}: callers that send the next request soon after each response
 * <li>{@code above=200}: additional such callers in the second half of the time
 * <li>{@code slow=URL}: requested after the idle connections are open, to slow the upstream
 * <li>{@code probe=URL}: requested ten times per second
 * <li>{@code headers=FILE}: header fields of the callers, as in {@code ConstantRate}
 * </ul>
 *
 * <p>
 * A response with 503 is a rejection. Errors are any other status, a connection that is
 * closed before the response, and a response that takes longer than ten seconds. A server
 * may close idle and half-sent connections; they are soon replaced.
 */
public class Crowd {

	private static final long MILLISECOND = TimeUnit.MILLISECONDS.toNanos(1);

	private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

	private static final long TIMEOUT = 10 * SECOND;

	/** Maximum number of connections being opened concurrently, below any backlog. */
	private static final int OPENED_AT_ONCE = 100;

	private final Request plain;

	private final Request full;

	private final Request probe;

	private final InetSocketAddress address;

	private final Selector selector;

	private final PriorityQueue<Caller> pauses = new PriorityQueue<>(Comparator.comparingLong(caller -> caller.due));

	private long[] waits = new long[1024];

	private int answers;

	private int unanswered;

	private int mostUnanswered;

	private int rejectedBelow;

	private int rejectedAbove;

	private int errors;

	private int reopened;

	private int opening;

	private long slowestProbe;

	private boolean above;

	private Crowd(Map<String, String> options, Selector selector) throws IOException {
		URI uri = URI.create(options.get("url"));
		Map<String, String> withoutHeaders = new HashMap<>(options);
		withoutHeaders.remove("headers");
		this.address = new InetSocketAddress(uri.getHost(), uri.getPort());
		this.plain = new Request(withoutHeaders, uri);
		this.full = new Request(options, uri);
		this.probe = new Request(withoutHeaders, URI.create(options.getOrDefault("probe", options.get("url"))));
		this.selector = selector;
	}

	public static void main(String[] args) throws IOException {
		Map<String, String> options = new HashMap<>();
		for (String arg : args) {
			int equals = arg.indexOf('=');
			options.put(arg.substring(0, equals), arg.substring(equals + 1));
		}
		try (Selector selector = Selector.open()) {
			Crowd crowd = new Crowd(options, selector);
			crowd.run(options);
			System.out.println(crowd);
		}
	}

	private void run(Map<String, String> options) throws IOException {
		open(Kind.IDLE, Integer.parseInt(options.getOrDefault("idle", "5000")));
		if (options.containsKey("slow")) {
			URI.create(options.get("slow")).toURL().openStream().close();
		}
		System.out.println("idle");
		open(Kind.HALF_SENT, Integer.parseInt(options.getOrDefault("half-sent", "500")));
		if (options.containsKey("probe")) {
			open(Kind.PROBE, 1);
		}
		long half = Integer.parseInt(options.get("seconds")) * SECOND / 2;
		open(Kind.WAITING, Integer.parseInt(options.getOrDefault("waiting", "1000")));
		System.out.println("crowded");
		until(System.nanoTime() + half);
		above = true;
		open(Kind.WAITING, Integer.parseInt(options.getOrDefault("above", "0")));
		until(System.nanoTime() + half);
		for (SelectionKey key : selector.keys()) {
			Caller caller = (Caller) key.attachment();
			if (caller.asked != 0 && System.nanoTime() - caller.asked > TIMEOUT) {
				error(caller.kind + " has no answer");
			}
		}
	}

	/** Opens connections. Requests of the idle ones are answered before it returns. */
	private void open(Kind kind, int count) throws IOException {
		long giveUp = System.nanoTime() + 6 * TIMEOUT;
		int begun = 0;
		while (begun < count || opening > 0) {
			while (begun < count && opening < OPENED_AT_ONCE) {
				connect(kind);
				begun++;
			}
			step(System.nanoTime() + 10 * MILLISECOND);
			if (System.nanoTime() > giveUp) {
				throw new IOException(opening + " connections are not open yet: " + kind);
			}
		}
	}

	private void connect(Kind kind) throws IOException {
		SocketChannel channel = SocketChannel.open();
		channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
		channel.configureBlocking(false);
		Caller caller = new Caller(kind, channel);
		opening++;
		boolean connected = channel.connect(address);
		channel.register(selector, connected ? SelectionKey.OP_READ : SelectionKey.OP_CONNECT, caller);
		if (connected) {
			connected(caller);
		}
	}

	private void until(long end) throws IOException {
		while (System.nanoTime() < end) {
			step(end);
		}
	}

	private void step(long end) throws IOException {
		long now = System.nanoTime();
		for (Caller next = pauses.peek(); next != null && next.due <= now; next = pauses.peek()) {
			pauses.remove();
			if (next.channel.isOpen()) {
				ask(next);
			}
			else {
				connect(next.kind == Kind.IDLE ? Kind.REOPENED : next.kind);
			}
		}
		long wake = pauses.isEmpty() ? end : Math.min(end, pauses.peek().due);
		selector.select(this::ready, Math.max(1, (wake - now) / MILLISECOND));
	}

	private void ready(SelectionKey key) {
		Caller caller = (Caller) key.attachment();
		try {
			if (key.isConnectable()) {
				caller.channel.finishConnect();
				key.interestOps(SelectionKey.OP_READ);
				connected(caller);
			}
			else if (caller.answer.read(caller.channel) < 0) {
				lost(caller, "The server closed it");
			}
			else if (caller.answer.isWhole()) {
				answered(caller);
			}
		}
		catch (IOException e) {
			lost(caller, e.toString());
		}
	}

	private void connected(Caller caller) throws IOException {
		if (caller.kind != Kind.IDLE) {
			opened(caller);
		}
		switch (caller.kind) {
			case IDLE, WAITING, PROBE -> ask(caller);
			case HALF_SENT -> full.sendInPart(caller.channel);
			case REOPENED -> {
				// Idle connections send nothing
			}
		}
	}

	private void opened(Caller caller) {
		caller.open = true;
		opening--;
	}

	private void ask(Caller caller) {
		caller.answer.clear();
		caller.asked = System.nanoTime();
		unanswered += caller.kind == Kind.WAITING ? 1 : 0;
		mostUnanswered = Math.max(mostUnanswered, unanswered);
		try {
			switch (caller.kind) {
				case WAITING -> full.send(caller.channel);
				case PROBE -> probe.send(caller.channel);
				default -> plain.send(caller.channel);
			}
		}
		catch (IOException e) {
			lost(caller, e.toString());
		}
	}

	private void answered(Caller caller) throws IOException {
		long now = System.nanoTime();
		long took = now - caller.asked;
		int status = caller.answer.status();
		if (caller.kind == Kind.HALF_SENT) {
			// The server sends a timeout response and closes the connection
			return;
		}
		if (took > TIMEOUT) {
			error(caller.kind + " waited for " + took / SECOND + " s");
		}
		else if (status != 200 && (status != 503 || caller.kind != Kind.WAITING)) {
			error(caller.kind + " was answered " + status);
		}
		caller.asked = 0;
		caller.answer.clear();
		switch (caller.kind) {
			case IDLE -> opened(caller);
			case PROBE -> {
				slowestProbe = Math.max(slowestProbe, took);
				pause(caller, now + 100 * MILLISECOND);
			}
			default -> {
				unanswered--;
				if (status == 503) {
					rejectedAbove += above ? 1 : 0;
					rejectedBelow += above ? 0 : 1;
					pause(caller, now + SECOND);
				}
				else {
					count(took);
					pause(caller, now + 200 * MILLISECOND);
				}
			}
		}
	}

	private void pause(Caller caller, long due) {
		caller.due = due;
		pauses.add(caller);
	}

	private void count(long took) {
		if (answers == waits.length) {
			waits = Arrays.copyOf(waits, 2 * answers);
		}
		waits[answers++] = took;
	}

	private void lost(Caller caller, String reason) {
		try {
			caller.channel.close();
			pauses.remove(caller);
			if (caller.asked != 0) {
				error(caller.kind + " got no answer: " + reason);
				unanswered -= caller.kind == Kind.WAITING ? 1 : 0;
			}
			if (!caller.open) {
				error(caller.kind + " was not opened: " + reason);
				opening--;
				return;
			}
			caller.asked = 0;
			reopened++;
			pause(caller, System.nanoTime() + SECOND);
		}
		catch (IOException e) {
			error(caller.kind + " cannot be closed: " + e);
		}
	}

	private void error(String reason) {
		errors++;
		if (errors <= 10) {
			System.err.println("  " + reason);
		}
	}

	@Override
	public String toString() {
		Arrays.sort(waits, 0, answers);
		return "answers=%d waiting=%d rejected_below=%d rejected_above=%d errors=%d reopened=%d p50=%.0f max=%.0f probe_max=%.0f"
			.formatted(answers, mostUnanswered, rejectedBelow, rejectedAbove, errors, reopened, waited(0.5), waited(1),
					(double) slowestProbe / MILLISECOND);
	}

	private double waited(double quantile) {
		return answers == 0 ? 0 : (double) waits[(int) Math.ceil(quantile * answers) - 1] / MILLISECOND;
	}

	private enum Kind {

		IDLE, REOPENED, HALF_SENT, WAITING, PROBE

	}

	private static final class Caller {

		private final Kind kind;

		private final SocketChannel channel;

		private final Answer answer = new Answer();

		private boolean open;

		/** Time of the unanswered request, or 0. */
		private long asked;

		/** Time of the next request. */
		private long due;

		Caller(Kind kind, SocketChannel channel) {
			this.kind = kind;
			this.channel = channel;
		}

	}

}
