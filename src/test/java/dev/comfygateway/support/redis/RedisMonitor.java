package dev.comfygateway.support.redis;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Commands that a server has executed, read with {@code MONITOR}. */
public final class RedisMonitor implements AutoCloseable {

	private final RedisConnection connection;

	private final List<String> commands = new CopyOnWriteArrayList<>();

	RedisMonitor(RedisConnection connection) throws IOException {
		this.connection = connection;
		connection.command("MONITOR");
		connection.waitWithoutBound();
		Thread.ofVirtual().start(this::listen);
	}

	private void listen() {
		try {
			while (true) {
				// 1700000000.000000 [0 127.0.0.1:50000] "GET" "key"
				commands.add(connection.reply().split("] ", 2)[1]);
			}
		}
		catch (IOException ignored) {
			// Closed by either side
		}
	}

	/**
	 * Commands so far, including those of scripts, each as {@code "GET" "key"} with the
	 * quotes. A command is reported some time after its reply.
	 */
	public List<String> commands() {
		return List.copyOf(commands);
	}

	@Override
	public void close() throws IOException {
		connection.close();
	}

}
