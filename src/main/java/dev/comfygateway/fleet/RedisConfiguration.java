package dev.comfygateway.fleet;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.comfygateway.GatewayProperties;
import dev.comfygateway.InvalidSettingException;
import dev.comfygateway.upstream.ComfyCloudClient;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.resource.Delay;
import io.micrometer.core.instrument.MeterRegistry;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.BeansException;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.data.redis.autoconfigure.ClientResourcesBuilderCustomizer;
import org.springframework.boot.data.redis.autoconfigure.DataRedisAutoConfiguration;
import org.springframework.boot.data.redis.autoconfigure.DataRedisProperties;
import org.springframework.boot.data.redis.autoconfigure.LettuceClientConfigurationBuilderCustomizer;
import org.springframework.boot.data.redis.autoconfigure.LettuceClientOptionsBuilderCustomizer;
import org.springframework.boot.ssl.NoSuchSslBundleException;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.core.env.Environment;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/**
 * Configuration of the fleet through Redis. It uses Boot's Lettuce client and
 * {@code spring.data.redis.*}, with short timeouts. Commands are not queued or replayed
 * without a connection, which would make an unreachable Redis appear slow. No class of a
 * Redis client is loaded unless {@code gateway.fleet=redis} is set.
 */
@ConditionalOnProperty(name = "gateway.fleet", havingValue = "redis")
@Import(DataRedisAutoConfiguration.class)
class RedisConfiguration {

	private static final String URL = "spring.data.redis.url";

	private static final String DEFAULT_URL = "redis://localhost";

	private static final int MAX_PORT = 65_535;

	private static final Duration DEFAULT_TIMEOUT = Duration.ofMillis(250);

	/** Divisor of {@code comfy.deadline}: one command may take a quarter of it. */
	private static final int MAX_SHARE = 4;

	private static final int THREADS = 2;

	private static final int MAX_QUEUED_COMMANDS = 64;

	@Bean
	FleetTimes fleetTimes(DataRedisProperties redis, ComfyCloudClient client, GatewayProperties gateway) {
		if (redis.getMasterreplica() != null) {
			throw new InvalidSettingException("spring.data.redis.masterreplica.nodes", "is not supported by the fleet",
					"Set spring.data.redis.host to the master, or use Sentinel or Cluster.");
		}
		return FleetTimes.of(client.deadline(), timeout("timeout", redis.getTimeout(), client.deadline()), gateway);
	}

	@Bean
	ClientResourcesBuilderCustomizer clientResources() {
		return resources -> resources.ioThreadPoolSize(THREADS)
			.computationThreadPoolSize(THREADS)
			.reconnectDelay(Delay.fullJitter(100, 1000, 100, TimeUnit.MILLISECONDS));
	}

	@Bean
	LettuceClientConfigurationBuilderCustomizer timeouts(FleetTimes times) {
		return client -> client.commandTimeout(times.command()).shutdownTimeout(Duration.ZERO);
	}

	@Bean
	LettuceClientOptionsBuilderCustomizer clientOptions(DataRedisProperties redis, ComfyCloudClient client) {
		Duration connectTimeout = timeout("connect-timeout", redis.getConnectTimeout(), client.deadline());
		return options -> options.socketOptions(SocketOptions.builder().connectTimeout(connectTimeout).build())
			.disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
			// A claim that timed out must not be replayed after a reconnect
			.replayFilter(command -> true)
			.requestQueueSize(MAX_QUEUED_COMMANDS);
	}

	@Bean
	RedisFleet redisFleet(ObjectProvider<LettuceConnectionFactory> connections, FleetTimes times,
			ComfyCloudClient client, Ticker ticker, MeterRegistry meters, Environment environment) {
		requireUrl(environment.getProperty(URL));
		return new RedisFleet(new FleetConnections(connections(connections)), new FleetState(meters), times, client,
				ticker, meters);
	}

	private static LettuceConnectionFactory connections(ObjectProvider<LettuceConnectionFactory> connections) {
		try {
			return connections.getObject();
		}
		catch (BeansException failure) {
			if (isReported(failure)) {
				throw failure;
			}
			throw new InvalidSettingException("spring.data.redis",
					"does not describe a server, a cluster, or a master with its sentinels",
					"Check the settings spring.data.redis.*: hosts, ports, and settings that exclude each other.");
		}
	}

	/** Returns whether the failure report is more specific, and contains no secret. */
	private static boolean isReported(Throwable failure) {
		for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
			if (cause instanceof InvalidSettingException || cause instanceof NoSuchSslBundleException
					|| cause instanceof BindException) {
				return true;
			}
		}
		return false;
	}

	/**
	 * Checks the URL. Boot's own failure report would print it, including the password.
	 */
	private static void requireUrl(@Nullable String text) {
		try {
			URI url = new URI(text == null || text.isEmpty() ? DEFAULT_URL : text);
			if (("" + url.getScheme()).matches("rediss?") && url.getHost() != null && url.getPort() <= MAX_PORT
					&& url.getPath().matches("(/\\d*)?")) {
				return;
			}
		}
		catch (URISyntaxException ignored) {
			// Reported below without the value
		}
		throw new InvalidSettingException(URL, "is not a Redis URL",
				"Use a URL such as redis://redis.example:6379, or rediss://… for TLS; percent-encode special"
						+ " characters in the password.");
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
