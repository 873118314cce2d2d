package dev.comfygateway.fleet;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.comfygateway.cache.Cooldown;
import dev.comfygateway.cache.FetchResult;
import dev.comfygateway.cache.Snapshot;
import dev.comfygateway.upstream.Account;
import dev.comfygateway.upstream.UpstreamFailure;
import io.lettuce.core.RedisNoScriptException;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.async.RedisScriptingAsyncCommands;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.core.io.ClassPathResource;

/**
 * Scripts of the fleet, which Redis runs atomically. Calls are timed, and never block.
 */
final class FleetScripts {

	/**
	 * Format of the key, with the version of the stored format. Replicas with different
	 * versions form separate fleets.
	 */
	private static final String KEY = "{comfy-gateway:%s}:4:prompt";

	/** Outcome of a script that ran. */
	private static final String OK = "ok";

	/**
	 * Outcome of the end of a lease that has already expired: its result is not
	 * published.
	 */
	private static final String EXPIRED = "expired";

	/** Announcement that a probe publishes. */
	static final String PROBE = "probe";

	private final FleetConnections connections;

	private final FleetTimes times;

	private final Ticker ticker;

	private final UnaryOperator<UpstreamFailure> withoutKey;

	private final MeterRegistry meters;

	private final String claim = load("claim.lua");

	private final String publish = load("publish.lua");

	/**
	 * Creates the scripts.
	 * @param ticker ticker of the cache
	 * @param withoutKey removes the API key from the texts of a stored failure
	 */
	FleetScripts(FleetConnections connections, FleetTimes times, Ticker ticker,
			UnaryOperator<UpstreamFailure> withoutKey, MeterRegistry meters) {
		this.connections = connections;
		this.times = times;
		this.ticker = ticker;
		this.withoutKey = withoutKey;
		this.meters = meters;
	}

	/**
	 * Returns the key of the account's hash, which is also the channel of its results.
	 */
	static String key(Account account) {
		return KEY.formatted(account.fingerprint());
	}

	/**
	 * Claims the next fetch.
	 * @param maxSinceArrivalNanos time since arrival below which an answer is valid
	 * @param heldId id of the result when the claim first found another replica's lease;
	 * empty if it found none
	 */
	CompletableFuture<FleetReply> claim(Account account, String token, long maxSinceArrivalNanos, Duration lease,
			String heldId) {
		return reply(account, "claim", token, Long.toString(TimeUnit.NANOSECONDS.toMillis(maxSinceArrivalNanos)),
				Long.toString(lease.toMillis()), heldId);
	}

	/** Reads the shared result. */
	CompletableFuture<FleetReply> read(Account account) {
		return reply(account, "read", "", "0", "0", "");
	}

	/** Reads the shared result, and checks that writing and publishing work. */
	CompletableFuture<FleetReply> probe(Account account) {
		return reply(account, "probe", "", "0", "0", "");
	}

	private CompletableFuture<FleetReply> reply(Account account, String operation, String token,
			String maxSinceArrivalMillis, String lease, String heldId) {
		long sent = ticker.read();
		return this
			.<List<@Nullable Object>>run(operation, claim, ScriptOutputType.MULTI, reply -> OK, account, operation,
					token, maxSinceArrivalMillis, lease, Long.toString(times.retention().toMillis()), heldId)
			.thenApply(fields -> FleetReply.of(fields, account.keyVersion(), sent, ticker.read(), withoutKey));
	}

	/**
	 * Publishes the result of a fetch, unless the lease has expired.
	 * @param redisMillis Redis's clock, in milliseconds
	 */
	CompletableFuture<Boolean> publish(Account account, String token, FetchResult result, long redisMillis) {
		long now = ticker.read();
		return switch (result) {
			case Snapshot snapshot -> endLease("publish", account, token, "answer", SnapshotJson.write(snapshot),
					Long.toString(redisMillis - TimeUnit.NANOSECONDS.toMillis(snapshot.sinceArrival(now))));
			case Cooldown cooldown ->
				endLease("publish", account, token, "failure", CooldownJson.write(cooldown), Long.toString(redisMillis),
						Long.toString(redisMillis + TimeUnit.NANOSECONDS.toMillis(cooldown.remaining(now))),
						Boolean.toString(cooldown.invalidatesAnswer()));
		};
	}

	/** Releases the lease. */
	CompletableFuture<Boolean> release(Account account, String token) {
		return endLease("release", account, token, "nothing");
	}

	private CompletableFuture<Boolean> endLease(String operation, Account account, String token, String... result) {
		String[] arguments = Stream
			.concat(Stream.of(token, Long.toString(times.retention().toMillis())), Stream.of(result))
			.toArray(String[]::new);
		return this
			.<Long>run(operation, publish, ScriptOutputType.INTEGER, count -> count == 1 ? OK : EXPIRED, account,
					arguments)
			.thenApply(count -> count == 1);
	}

	private <T> CompletableFuture<T> run(String operation, String script, ScriptOutputType type,
			Function<T, String> outcome, Account account, String... arguments) {
		Timer.Sample sample = Timer.start(meters);
		String[] keys = { key(account) };
		CompletableFuture<T> result;
		try {
			RedisScriptingAsyncCommands<String, String> redis = connections.scripts();
			result = redis.<T>evalsha(redis.digest(script), type, keys, arguments)
				.toCompletableFuture()
				.exceptionallyCompose(failure -> isUnknownScript(failure)
						? redis.<T>eval(script, type, keys, arguments).toCompletableFuture()
						: CompletableFuture.failedFuture(failure));
		}
		catch (RuntimeException failure) {
			result = CompletableFuture.failedFuture(failure);
		}
		return result.whenComplete((value, failure) -> sample
			.stop(timer(operation, failure == null ? outcome.apply(value) : FleetFailure.of(failure).code())));
	}

	private static boolean isUnknownScript(Throwable failure) {
		Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
		return cause instanceof RedisNoScriptException;
	}

	private Timer timer(String operation, String outcome) {
		return Timer.builder("comfy.gateway.fleet.requests")
			.description("Requests to Redis for the fleet")
			.tag("operation", operation)
			.tag("outcome", outcome)
			.serviceLevelObjectives(Duration.ofMillis(1), Duration.ofMillis(5), Duration.ofMillis(25),
					Duration.ofMillis(100), Duration.ofMillis(250))
			.register(meters);
	}

	/** Returns the text of a script. */
	static String load(String script) {
		try {
			return new ClassPathResource(script, FleetScripts.class).getContentAsString(StandardCharsets.UTF_8);
		}
		catch (IOException e) {
			throw new UncheckedIOException(e);
		}
	}

}
