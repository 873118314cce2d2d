package dev.comfygateway.simulator;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ServerSocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * Simulation of Comfy Cloud's {@code GET /api/prompt} on a loopback port, for one account
 * with one key and a changing queue. {@link #behave} or
 * {@code PUT /simulator/<behaviour>} changes its behaviour at run time. It records the
 * requests.
 */
public final class SimulatedComfyCloud implements AutoCloseable {

	private static final String CONTROL = "/simulator/";

	private static final Map<String, String> TEXT = Map.of("Content-Type", "text/plain; charset=utf-8");

	private final ServerSocket serverSocket;

	private final String scheme;

	private final SimulatedQueue queue;

	private final Deque<Behaviour> behaviours = new ArrayDeque<>(List.of(Behaviour.NORMAL));

	private final List<Received> received = new CopyOnWriteArrayList<>();

	private final Semaphore arrivals = new Semaphore(0);

	private final Set<Socket> open = ConcurrentHashMap.newKeySet();

	private final AtomicInteger connections = new AtomicInteger();

	private final AtomicInteger inFlight = new AtomicInteger();

	private final AtomicInteger maxInFlight = new AtomicInteger();

	private final Thread acceptor = Thread.ofVirtual().unstarted(this::accept);

	private volatile String acceptedKey;

	private volatile OptionalLong fixedQueueRemaining = OptionalLong.empty();

	private volatile @Nullable Hold hold;

	private volatile byte[] greeting = {};

	private SimulatedComfyCloud(ServerSocket serverSocket, String scheme, String acceptedKey, InstantSource clock) {
		this.serverSocket = serverSocket;
		this.scheme = scheme;
		this.acceptedKey = acceptedKey;
		this.queue = new SimulatedQueue(clock);
	}

	/**
	 * Starts on a loopback port.
	 * @param port the port, 0 for any
	 * @param acceptedKey the only key for which the status is 200
	 */
	public static SimulatedComfyCloud start(int port, String acceptedKey) {
		return start(port, acceptedKey, InstantSource.system());
	}

	/**
	 * Starts on a loopback port.
	 * @param clock clock of the queue
	 */
	public static SimulatedComfyCloud start(int port, String acceptedKey, InstantSource clock) {
		return start(port, acceptedKey, clock, "http", ServerSocketFactory.getDefault());
	}

	/**
	 * Starts on a loopback port with TLS.
	 * @param tls factory of server sockets with the certificate
	 */
	public static SimulatedComfyCloud startTls(String acceptedKey, ServerSocketFactory tls) {
		return start(0, acceptedKey, InstantSource.system(), "https", tls);
	}

	private static SimulatedComfyCloud start(int port, String acceptedKey, InstantSource clock, String scheme,
			ServerSocketFactory sockets) {
		try {
			ServerSocket socket = sockets.createServerSocket(port, 50, InetAddress.getByName("127.0.0.1"));
			SimulatedComfyCloud started = new SimulatedComfyCloud(socket, scheme, acceptedKey, clock);
			started.acceptor.start();
			return started;
		}
		catch (IOException e) {
			throw new UncheckedIOException(e);
		}
	}

	/** Names of the behaviours that can be set over HTTP. */
	public static List<String> behaviours() {
		return Behaviour.all().stream().map(Behaviour::name).toList();
	}

	public int port() {
		return serverSocket.getLocalPort();
	}

	public String baseUrl() {
		return "%s://127.0.0.1:%s".formatted(scheme, port());
	}

	/** Replaces the accepted key. */
	public void acceptKey(String key) {
		this.acceptedKey = key;
	}

	/** Sets the queue to a fixed length. */
	public void queueRemaining(long fixed) {
		this.fixedQueueRemaining = OptionalLong.of(fixed);
	}

	/**
	 * Sets the behaviours from now on: each request uses the next one, and the last one
	 * remains in use. A blocked request gets its behaviour when it is released.
	 */
	public void behave(Behaviour behaviour, Behaviour... then) {
		synchronized (behaviours) {
			behaviours.clear();
			behaviours.add(behaviour);
			behaviours.addAll(List.of(then));
		}
	}

	/**
	 * Sends this response to every request from now on, for any key and path.
	 * @param headers {@code Content-Type} and {@code Content-Length} are added if they
	 * are missing
	 */
	public void answer(int status, Map<String, String> headers, byte[] body) {
		behave(Behaviour.answer(status, headers, body));
	}

	/** Blocks requests that arrive from now on until they are released. */
	public Hold hold() {
		Hold created = new Hold();
		this.hold = created;
		return created;
	}

	/** Requests so far in order of arrival, including blocked ones. */
	public List<Received> received() {
		return List.copyOf(received);
	}

	/**
	 * Waits until {@code count} requests in total have arrived.
	 * @throws AssertionError if they do not arrive within 10 seconds
	 */
	public void awaitReceived(int count) {
		await(arrivals, count, "arrived");
	}

	/** Maximum number of concurrent requests so far. */
	public int maxInFlight() {
		return maxInFlight.get();
	}

	/** Number of connections opened so far, with or without a request. */
	public int connections() {
		return connections.get();
	}

	/** Number of open connections. */
	public int openConnections() {
		return open.size();
	}

	/** Sends bytes on every connection from now on, before any request. */
	public void greet(byte[] bytes) {
		this.greeting = bytes.clone();
	}

	@Override
	public void close() {
		try {
			serverSocket.close();
			// The accepting thread may still accept one connection
			acceptor.join();
			for (Socket socket : open) {
				socket.close();
			}
		}
		catch (IOException e) {
			throw new UncheckedIOException(e);
		}
		catch (InterruptedException ignored) {
			Thread.currentThread().interrupt();
		}
	}

	private void accept() {
		try {
			while (!serverSocket.isClosed()) {
				Socket socket = serverSocket.accept();
				connections.incrementAndGet();
				open.add(socket);
				socket.setTcpNoDelay(true);
				if (greeting.length > 0) {
					socket.getOutputStream().write(greeting);
				}
				Connection connection = new Connection(this, socket);
				Thread.ofVirtual().start(connection::serve);
				Thread.ofVirtual().start(() -> {
					connection.read();
					open.remove(socket);
				});
			}
		}
		catch (IOException ignored) {
			// Closed, which ends this thread
		}
	}

	void handle(Received request, Connection connection) {
		try {
			if (request.target().startsWith(CONTROL)) {
				control(request, new Exchange(this, request, connection, () -> {
				}));
			}
			else {
				perform(request, connection);
			}
			if (request.header("Connection").stream().anyMatch("close"::equalsIgnoreCase)) {
				connection.socket().close();
			}
		}
		catch (IOException ignored) {
			// The client has closed the connection
		}
	}

	private void perform(Received request, Connection connection) throws IOException {
		maxInFlight.accumulateAndGet(inFlight.incrementAndGet(), Math::max);
		received.add(request);
		Hold gate = hold;
		arrivals.release();
		Exchange exchange = new Exchange(this, request, connection, inFlight::decrementAndGet);
		try {
			if (gate != null) {
				gate.pass(connection.gone());
			}
			if (!exchange.isClientGone()) {
				nextBehaviour().perform(exchange);
			}
		}
		finally {
			exchange.end();
		}
	}

	private Behaviour nextBehaviour() {
		synchronized (behaviours) {
			return behaviours.size() > 1 ? behaviours.removeFirst() : behaviours.getFirst();
		}
	}

	void answerNormally(Received request, Exchange exchange) throws IOException {
		if (!request.target().split("\\?", 2)[0].equals("/api/prompt")) {
			exchange.answer(404, Map.of(), Behaviour.error("NOT_FOUND", "There is nothing here"));
		}
		else if (!request.header("X-API-Key").equals(List.of(acceptedKey))) {
			exchange.answer(401, Map.of(),
					Behaviour.error("UNAUTHORIZED", "Invalid or missing authentication credentials"));
		}
		else {
			exchange.answer(200, Map.of(),
					"{\"exec_info\": {\"queue_remaining\": %s}}"
						.formatted(
								fixedQueueRemaining.isPresent() ? fixedQueueRemaining.getAsLong() : queue.remaining())
						.getBytes(StandardCharsets.UTF_8));
		}
	}

	private void control(Received request, Exchange exchange) throws IOException {
		String name = request.target().substring(CONTROL.length()).toLowerCase(Locale.ROOT);
		Optional<Behaviour> wanted = Behaviour.all().stream().filter(known -> known.name().equals(name)).findFirst();
		if (wanted.isEmpty() || !request.method().equals("PUT")) {
			String names = String.join(", ", behaviours());
			exchange.answer(404, TEXT, "Use PUT %s with one of: %s%n".formatted(CONTROL, names).getBytes());
			return;
		}
		behave(wanted.get());
		exchange.answer(200, TEXT,
				"From now on this Comfy Cloud %s.%n".formatted(wanted.get().description()).getBytes());
	}

	static void await(Semaphore events, int count, String what) {
		try {
			if (!events.tryAcquire(count, 10, TimeUnit.SECONDS)) {
				throw new AssertionError("%s of %s requests %s".formatted(events.availablePermits(), count, what));
			}
			events.release(count);
		}
		catch (InterruptedException e) {
			Thread.currentThread().interrupt();
			throw new AssertionError(e);
		}
	}

}
