package dev.comfygateway.fleet;

import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisException;
import io.lettuce.core.api.StatefulConnection;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisScriptingAsyncCommands;
import io.lettuce.core.cluster.RedisClusterClient;
import io.lettuce.core.cluster.api.StatefulRedisClusterConnection;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/**
 * Connections to Redis, one for scripts and one for announcements. Connecting blocks.
 * Only the thread of {@link FleetRecovery} connects.
 */
final class FleetConnections {

	private static final CompletableFuture<Void> SUBSCRIBED = CompletableFuture.completedFuture(null);

	private final LettuceConnectionFactory factory;

	private volatile @Nullable Open open;

	FleetConnections(LettuceConnectionFactory factory) {
		this.factory = factory;
	}

	/**
	 * Connects if there are no connections, and subscribes.
	 * @param channel channel of the announcements
	 * @param onAnnouncement receives the announcements
	 * @throws RuntimeException if Redis fails
	 */
	void connect(String channel, Consumer<String> onAnnouncement) {
		if (open == null) {
			open = switch (factory.getRequiredNativeClient()) {
				case RedisClusterClient client -> {
					// The nodes may have changed since the last connection
					client.refreshPartitions();
					StatefulRedisClusterConnection<String, String> scripts = client.connect();
					yield new Open(scripts, scripts.async(), subscription(client::connectPubSub, scripts));
				}
				case RedisClient client -> {
					StatefulRedisConnection<String, String> scripts = client.connect();
					yield new Open(scripts, scripts.async(), subscription(client::connectPubSub, scripts));
				}
				default -> throw new IllegalStateException("Unsupported type of Redis client");
			};
			open.subscription.addListener(new RedisPubSubAdapter<>() {
				@Override
				public void message(String from, String message) {
					onAnnouncement.accept(message);
				}
			});
		}
		subscribe(channel).join();
	}

	private static StatefulRedisPubSubConnection<String, String> subscription(
			Supplier<StatefulRedisPubSubConnection<String, String>> client, StatefulConnection<String, String> other) {
		try {
			return client.get();
		}
		catch (RuntimeException failure) {
			other.closeAsync();
			throw failure;
		}
	}

	/** Subscribes to a channel, and unsubscribes from the previous one. Never blocks. */
	CompletableFuture<Void> subscribe(String channel) {
		Open connections = required();
		String before = connections.channel;
		if (channel.equals(before)) {
			return SUBSCRIBED;
		}
		return connections.subscription.async().subscribe(channel).toCompletableFuture().thenRun(() -> {
			connections.channel = channel;
			if (before != null) {
				connections.subscription.async().unsubscribe(before);
			}
		});
	}

	/**
	 * Returns the commands for scripts.
	 * @throws RedisException if there is no connection
	 */
	RedisScriptingAsyncCommands<String, String> scripts() {
		return required().scripts;
	}

	private Open required() {
		Open connections = open;
		if (connections == null) {
			throw new RedisException("Not connected");
		}
		return connections;
	}

	/** Closes the connections. Never blocks. */
	void close() {
		Open connections = open;
		open = null;
		if (connections != null) {
			connections.connection.closeAsync();
			connections.subscription.closeAsync();
		}
	}

	/** Both connections, and the channel of the subscription. */
	private static final class Open {

		private final StatefulConnection<String, String> connection;

		private final RedisScriptingAsyncCommands<String, String> scripts;

		private final StatefulRedisPubSubConnection<String, String> subscription;

		private volatile @Nullable String channel;

		Open(StatefulConnection<String, String> connection, RedisScriptingAsyncCommands<String, String> scripts,
				StatefulRedisPubSubConnection<String, String> subscription) {
			this.connection = connection;
			this.scripts = scripts;
			this.subscription = subscription;
		}

	}

}
