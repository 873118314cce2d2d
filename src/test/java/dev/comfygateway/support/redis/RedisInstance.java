package dev.comfygateway.support.redis;

import java.io.IOException;

/** Running {@code redis-server}, whose files remain when it is killed. */
sealed interface RedisInstance permits RedisContainer, RedisProcess {

	/** Starts it again after {@link #kill}. */
	void start() throws IOException;

	boolean isRunning();

	/** Sends SIGKILL, to a frozen one too, and waits for the end. */
	void kill();

	void freeze() throws IOException;

	void thaw() throws IOException;

	String log() throws IOException;

	/** Kills it and removes its files. */
	void remove() throws IOException;

}
