package dev.comfygateway.support.redis;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.awaitility.core.ConditionTimeoutException;
import org.awaitility.core.TerminalFailureException;
import org.testcontainers.DockerClientFactory;

/** Local Redis server on a free port and without persistence. */
public final class RedisServer implements AutoCloseable {

	/** Reply if there is no value. */
	public static final String NIL = "(nil)";

	static final String HOST = "127.0.0.1";

	/** Offset of the cluster bus port from the port. */
	private static final int BUS = 10_000;

	private final int port;

	private volatile String password;

	private final RedisInstance instance;

	private RedisServer(int port, String password, RedisInstance instance) {
		this.port = port;
		this.password = password;
		this.instance = instance;
	}

	/** Returns whether a container engine or {@code redis-server} is available. */
	public static boolean isAvailable() {
		return runsInContainer() || RedisProcess.isInstalled();
	}

	private static boolean runsInContainer() {
		return !Boolean.getBoolean("redis.process") && DockerClientFactory.instance().isDockerAvailable();
	}

	/**
	 * Starts a server.
	 * @param options additional command line options, such as {@code --requirepass},
	 * {@code secret}
	 */
	public static RedisServer start(String... options) throws IOException {
		int port = freePort();
		List<String> all = new ArrayList<>(List.of("--port", Integer.toString(port), "--bind", HOST, "--save", "",
				"--appendonly", "no", "--repl-diskless-sync-delay", "0"));
		all.addAll(List.of(options));
		int password = all.indexOf("--requirepass") + 1;
		RedisServer server = new RedisServer(port, (password > 0) ? all.get(password) : "",
				runsInContainer() ? new RedisContainer(all) : new RedisProcess(all));
		try {
			server.awaitStart();
			return server;
		}
		catch (Throwable ex) {
			server.close();
			throw ex;
		}
	}

	/**
	 * Returns a port outside the ephemeral range: while the server is down, a client that
	 * reconnects repeatedly could otherwise get this port, or connect to itself.
	 */
	private static int freePort() {
		return ThreadLocalRandom.current()
			.ints(BUS, 2 * BUS)
			.filter(port -> isFree(port) && isFree(port + BUS))
			.findFirst()
			.orElseThrow();
	}

	private static boolean isFree(int port) {
		try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getByName(HOST))) {
			return socket.isBound();
		}
		catch (IOException ignored) {
			return false;
		}
	}

	private void awaitStart() throws IOException {
		try {
			await().failFast(() -> !instance.isRunning()).until(() -> command("PING").equals("PONG"));
		}
		catch (ConditionTimeoutException | TerminalFailureException ex) {
			throw new IllegalStateException(instance.log(), ex);
		}
	}

	/** Waits with a timeout. An exception counts as {@code false}. */
	static ConditionFactory await() {
		return Awaitility.await().ignoreExceptions().atMost(20, TimeUnit.SECONDS);
	}

	public int port() {
		return port;
	}

	/** Address as {@code host:port}. */
	public String address() {
		return HOST + ":" + port;
	}

	/** URL, without the password. */
	public String url() {
		return "redis://" + address();
	}

	/**
	 * Executes one command on a separate connection, with the password if one is set.
	 * @return the reply: an error with its {@code -}, {@link #NIL}, or the elements of an
	 * array, one per line
	 * @throws java.net.SocketTimeoutException if there is no reply within a second
	 */
	public String command(String... words) throws IOException {
		try (RedisConnection connection = connect()) {
			return connection.command(words);
		}
	}

	private RedisConnection connect() throws IOException {
		RedisConnection connection = new RedisConnection(port);
		if (!password.isEmpty()) {
			connection.command("AUTH", password);
		}
		return connection;
	}

	/** Changes the password. An empty one disables authentication. */
	public void requirePassword(String required) throws IOException {
		command("CONFIG", "SET", "requirepass", required);
		password = required;
	}

	public RedisMonitor monitor() throws IOException {
		return new RedisMonitor(connect());
	}

	/** Sends SIGKILL and waits for the exit. */
	public void kill() {
		instance.kill();
	}

	/**
	 * Restarts the server on the same port, without data, whether it was killed or not.
	 */
	public void restart() throws IOException {
		instance.kill();
		instance.start();
		awaitStart();
	}

	/** Suspends the server. Its connections stay open without replies. */
	public void freeze() throws IOException {
		instance.freeze();
	}

	public void thaw() throws IOException {
		instance.thaw();
	}

	@Override
	public void close() throws IOException {
		instance.remove();
	}

}
