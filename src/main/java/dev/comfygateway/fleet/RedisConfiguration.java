package dev.comfygateway.fleet;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.InvalidSettingException;
import dev.comfygateway.upstream.ComfyCloudClient;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.resource.Delay;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.data.redis.autoconfigure.ClientResourcesBuilderCustomizer;
import org.springframework.boot.data.redis.autoconfigure.DataRedisAutoConfiguration;
import org.springframework.boot.data.redis.autoconfigure.DataRedisProperties;
import org.springframework.boot.data.redis.autoconfigure.LettuceClientConfigurationBuilderCustomizer;
import org.springframework.boot.data.redis.autoconfigure.LettuceClientOptionsBuilderCustomizer;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/**
 * Beans of the fleet's own context: Lettuce as Boot sets it up by
 * {@code spring.data.redis.*}, but with short timeouts and without the queues and
 * repetitions that make an absent Redis look like a slow one. This class is registered
 * there, and not found by the scan of the application.
 */
@Import(DataRedisAutoConfiguration.class)
class RedisBeans {

	private static final Duration DEFAULT_TIMEOUT = Duration.ofMillis(250);

	/** Share of {@code comfy.deadline} that one command may take. */
	private static final int MAX_SHARE = 4;

	private static final int THREADS = 2;

	private static final int MAX_QUEUED_COMMANDS = 64;

	@Bean
	FleetTimes fleetTimes(DataRedisProperties redis, ComfyCloudClient client, GatewayProperties gateway) {
		if (redis.getMasterreplica() != null) {
			throw new InvalidSettingException("spring.data.redis.masterreplica.nodes", "is not for a fleet",
					"Name the master by spring.data.redis.host, or use Sentinel or Cluster.");
		}
		return FleetTimes.of(client.deadline(), timeout("timeout", redis.getTimeout(), client.deadline()), gateway);
	}

	@Bean
	ClientResourcesBuilderCustomizer fewThreads() {
		return resources -> resources.ioThreadPoolSize(THREADS)
			.computationThreadPoolSize(THREADS)
			.reconnectDelay(Delay.fullJitter(100, 1000, 100, TimeUnit.MILLISECONDS));
	}

	@Bean
	LettuceClientConfigurationBuilderCustomizer shortTimeouts(FleetTimes times) {
		return client -> client.commandTimeout(times.command()).shutdownTimeout(Duration.ZERO);
	}

	@Bean
	LettuceClientOptionsBuilderCustomizer nothingWaits(DataRedisProperties redis, ComfyCloudClient client) {
		Duration connectTimeout = timeout("connect-timeout", redis.getConnectTimeout(), client.deadline());
		return options -> options.socketOptions(SocketOptions.builder().connectTimeout(connectTimeout).build())
			.disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
			// A claim that timed out must not be made after a reconnect
			.replayFilter(command -> true)
			.requestQueueSize(MAX_QUEUED_COMMANDS);
	}

	@Bean(destroyMethod = "")
	RedisFleet redisFleet(LettuceConnectionFactory connections, FleetTimes times, ComfyCloudClient client,
			MeterRegistry meters, ConfigurableApplicationContext context) {
		return new RedisFleet(new FleetConnections(connections), new FleetState(meters), times, client, meters,
				context::close);
	}

	private static Duration timeout(String name, @Nullable Duration configured, Duration deadline) {
		Duration max = deadline.dividedBy(MAX_SHARE);
		if (configured == null) {
			return max.compareTo(DEFAULT_TIMEOUT) < 0 ? max : DEFAULT_TIMEOUT;
		}
		if (configured.isNegative() || configured.isZero() || configured.compareTo(max) > 0) {
			throw new InvalidSettingException("spring.data.redis." + name, "is out of bounds",
					"Set it to a duration up to %s ms, a quarter of comfy.deadline.".formatted(max.toMillis()));
		}
		return configured;
	}

}
