import dev.comfygateway.simulator.Behaviour;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * Training of the AOT cache: the gateway answers real requests in front of the simulated
 * Comfy Cloud, and what the JVM learns meanwhile, which classes it needs and how the
 * methods behave, is written to the cache when it ends.
 *
 * <p>
 * {@code java -cp target/test-classes Train.java HOME SECONDS JAVA}, where {@code HOME}
 * holds {@code comfy-gateway.jar} and {@code jvm.options}, and {@code JAVA} is what runs
 * the gateway.
 */
public class Train {

	private static final String KEY = "training-key";

	private static final int CONNECTIONS = 16;

	private static final Duration PATIENCE = Duration.ofMinutes(3);

	/** Every way in which an answer from memory is asked for. */
	private static final List<String> HITS = List.of("GET /api/prompt", "GET /api/prompt", "GET /api/prompt",
			"HEAD /api/prompt", "GET /api/prompt\r\nIf-None-Match: %s",
			"GET /api/prompt\r\nCache-Control: max-age=60\r\nUser-Agent: training/1.0\r\nAccept: */*");

	/** What operators and their tools ask for. */
	private static final List<String> OPERATORS = List.of("GET /actuator/health", "GET /actuator/prometheus",
			"GET /actuator/info");

	/** Everything else that callers ask for. */
	private static final List<String> OTHERS = List.of("GET /livez", "GET /readyz", "GET /readyz\r\nAccept: */*",
			"GET /api/prompt\r\nCache-Control: no-cache", "GET /api/prompt\r\nCache-Control: only-if-cached",
			"OPTIONS /api/prompt", "GET /none", "POST /api/prompt\r\nContent-Length: 0");

	/** Ways in which Comfy Cloud misbehaves. */
	private static final List<Behaviour> FAILURES = List.of(Behaviour.UNAVAILABLE, Behaviour.CLOSE, Behaviour.RUBBISH,
			Behaviour.REFUSE);

	private final int port = freePort();

	private final int managementPort = freePort();

	public static void main(String[] args) throws Exception {
		new Train().train(Path.of(args[0]).toAbsolutePath(), Duration.ofSeconds(Long.parseLong(args[1])), args[2]);
	}

	private void train(Path home, Duration duration, String java) throws Exception {
		Path cache = home.resolve("comfy-gateway.aot");
		Files.deleteIfExists(cache);
		try (SimulatedComfyCloud upstream = SimulatedComfyCloud.start(0, KEY)) {
			ProcessBuilder builder = new ProcessBuilder(
					java,
					"@" + home.resolve("jvm.options"), "-XX:AOTCacheOutput=" + cache, "-jar",
					home.resolve("comfy-gateway.jar").toString());
			builder.environment()
				.putAll(Map.of("COMFY_API_KEY", KEY, "COMFY_BASE_URL", upstream.baseUrl(), "SERVER_PORT",
						Integer.toString(port), "MANAGEMENT_SERVER_PORT", Integer.toString(managementPort),
						// So short that pauses do not lengthen the training
						"GATEWAY_COOLDOWN", "100ms", "GATEWAY_MAX_COOLDOWN", "100ms"));
			Process gateway = builder.inheritIO().start();
			try {
				awaitReady(gateway);
				exercise(upstream, duration);
			}
			finally {
				// As SIGTERM does
				gateway.toHandle().destroy();
			}
			if (!gateway.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS) || !Files.exists(cache)) {
				gateway.destroyForcibly();
				throw new IllegalStateException("The gateway left no AOT cache");
			}
		}
	}

	private void awaitReady(Process gateway) throws InterruptedException {
		long giveUp = System.nanoTime() + PATIENCE.toNanos();
		while (System.nanoTime() < giveUp && gateway.isAlive()) {
			try (Connection connection = new Connection(port)) {
				if (connection.exchange("GET /readyz").startsWith("HTTP/1.1 200")) {
					return;
				}
			}
			catch (IOException ignored) {
				// Not yet
			}
			Thread.sleep(50);
		}
		throw new IllegalStateException("The gateway did not start");
	}

	private void exercise(SimulatedComfyCloud upstream, Duration duration) throws Exception {
		try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
			long end = System.nanoTime() + duration.toNanos();
			for (int i = 0; i < CONNECTIONS; i++) {
				callers.submit(() -> poll(end));
			}
			while (System.nanoTime() < end) {
				ask(managementPort, OPERATORS);
				ask(port, OTHERS);
				Thread.sleep(200);
			}
		}
		for (Behaviour failure : FAILURES) {
			upstream.behave(failure);
			for (int i = 0; i < 3; i++) {
				ask(port, List.of("GET /api/prompt\r\nCache-Control: no-cache", "GET /api/prompt"));
				Thread.sleep(150);
			}
			ask(managementPort, OPERATORS);
		}
		upstream.behave(Behaviour.NORMAL);
		Thread.sleep(150);
		ask(port, List.of("GET /api/prompt\r\nCache-Control: no-cache"));
	}

	private Void poll(long end) throws IOException {
		try (Connection connection = new Connection(port)) {
			String etag = "none";
			for (int i = 0; System.nanoTime() < end; i++) {
				String answer = connection.exchange(HITS.get(i % HITS.size()).formatted(etag));
				int at = answer.indexOf("ETag: ");
				if (at > 0) {
					etag = answer.substring(at + "ETag: ".length(), answer.indexOf('\r', at));
				}
			}
		}
		return null;
	}

	private static void ask(int port, List<String> requests) throws IOException {
		for (String request : requests) {
			try (Connection connection = new Connection(port)) {
				connection.exchange(request);
			}
		}
	}

	private static int freePort() {
		try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
			return socket.getLocalPort();
		}
		catch (IOException e) {
			throw new IllegalStateException(e);
		}
	}

	/** Connection that is kept from request to request. */
	private static final class Connection implements AutoCloseable {

		private final Socket socket;

		private final InputStream in;

		Connection(int port) throws IOException {
			this.socket = new Socket(InetAddress.getLoopbackAddress(), port);
			socket.setTcpNoDelay(true);
			socket.setSoTimeout(30_000);
			this.in = new BufferedInputStream(socket.getInputStream());
		}

		/** Sends a request line with what headers follow it, and gives the answer's head. */
		String exchange(String request) throws IOException {
			String[] lines = request.split("\r\n", 2);
			String bytes = lines[0] + " HTTP/1.1\r\nHost: localhost\r\n"
					+ (lines.length > 1 ? lines[1] + "\r\n" : "") + "\r\n";
			socket.getOutputStream().write(bytes.getBytes(StandardCharsets.US_ASCII));
			StringBuilder head = new StringBuilder();
			while (head.indexOf("\r\n\r\n") < 0) {
				int read = in.read();
				if (read < 0) {
					throw new IOException("The gateway closed a connection");
				}
				head.append((char) read);
			}
			if (!request.startsWith("HEAD ")) {
				skipBody(head.toString());
			}
			return head.toString();
		}

		private void skipBody(String head) throws IOException {
			int at = head.indexOf("Content-Length: ");
			if (at > 0) {
				in.skipNBytes(Long.parseLong(
						head.substring(at + "Content-Length: ".length(), head.indexOf('\r', at))));
			}
		}

		@Override
		public void close() throws IOException {
			socket.close();
		}

	}

}
