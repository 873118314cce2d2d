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

/** Redis of this machine, on a port of its own and without persistence. */
public final class RedisServer implements AutoCloseable {

	/** Reply where there is no value. */
	public static final String NIL = "(nil)";

	static final String HOST = "127.0.0.1";

	/** Distance from the port to that of the cluster's own traffic. */
	private static final int BUS = 10_000;

	private final int port;

	private volatile String password;

	private final RedisInstance instance;

	private RedisServer(int port, String password, RedisInstance instance) {
		this.port = port;
		this.password = password;
		this.instance = instance;
	}

	/** Whether there is a container engine or a {@code redis-server}. */
	public static boolean isAvailable() {
		return runsInContainer() || RedisProcess.isInstalled();
	}

	private static boolean runsInContainer() {
		return !Boolean.getBoolean("redis.process") && DockerClientFactory.instance().isDockerAvailable();
	}

	/**
	 * Starts a server.
	 * @param options more of its command line, such as {@code --requirepass},
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
	 * A port that the system gives to no client: one that connects again and again would
	 * take it, or meet itself, while the server is down.
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

	/** Bounded wait, to which an exception is as good as {@code false}. */
	static ConditionFactory await() {
		return Awaitility.await().ignoreExceptions().atMost(20, TimeUnit.SECONDS);
	}

	public int port() {
		return port;
	}

	/** Host and port. */
	public String address() {
		return HOST + ":" + port;
	}

	/** URL, without the password. */
	public String url() {
		return "redis://" + address();
	}

	/**
	 * Executes one command on a connection of its own, with the password where there is
	 * one.
	 * @return the reply: an error with its {@code -}, {@link #NIL}, or for an array the
	 * elements, one a line
	 * @throws java.net.SocketTimeoutException where none comes within a second
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

	/** Sets another password; empty for none. */
	public void requirePassword(String required) throws IOException {
		command("CONFIG", "SET", "requirepass", required);
		password = required;
	}

	public RedisMonitor monitor() throws IOException {
		return new RedisMonitor(connect());
	}

	/** Sends SIGKILL and waits for the end. */
	public void kill() {
		instance.kill();
	}

	/** Starts the server again, killed or not: empty, and on the same port. */
	public void restart() throws IOException {
		instance.kill();
		instance.start();
		awaitStart();
	}

	/** Stops the server, whose connections stay open without an answer. */
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
