package dev.comfygateway.support.redis;

import java.io.IOException;

/** Running {@code redis-server} that keeps its files when it is killed. */
sealed interface RedisInstance permits RedisContainer, RedisProcess {

	/** Restarts the server after {@link #kill}. */
	void start() throws IOException;

	boolean isRunning();

	/** Sends SIGKILL, also to a frozen server, and waits for the exit. */
	void kill();

	void freeze() throws IOException;

	void thaw() throws IOException;

	String log() throws IOException;

	/** Kills the server and removes its files. */
	void remove() throws IOException;

}
