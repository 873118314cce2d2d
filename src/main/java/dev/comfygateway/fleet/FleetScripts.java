package dev.comfygateway.fleet;

import dev.comfygateway.cache.SharedResult;
import dev.comfygateway.upstream.Account;
import io.lettuce.core.RedisNoScriptException;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.async.RedisScriptingAsyncCommands;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Scripts that Redis runs, each as a whole; every call is timed. Nothing here blocks. */
final class FleetScripts {

	/**
	 * Version of the format in Redis. Replicas that speak another one are another fleet.
	 */
	private static final String KEY = "{comfy-gateway:%s}:2:prompt";

	/** What a probe announces. */
	static final String PROBE = "probe";

	/** Longer than any cool-down, and shorter than a step of a wrong clock. */
	private static final Duration MAX_COOLDOWN = Duration.ofMinutes(20);

	private final FleetConnections connections;

	private final FleetTimes times;

	private final MeterRegistry meters;

	private final Script claim = Script.of("claim.lua");

	private final Script publish = Script.of("publish.lua");

	FleetScripts(FleetConnections connections, FleetTimes times, MeterRegistry meters) {
		this.connections = connections;
		this.times = times;
		this.meters = meters;
	}

	/** Name of the account's hash, and of the channel of its results. */
	static String key(Account account) {
		return KEY.formatted(account.fingerprint());
	}

	/**
	 * Claims the next fetch.
	 * @param newBelowNanos time since arrival below which an answer serves
	 * @param met id of the result when the claim first met another's lease; empty where
	 * it met none
	 */
	CompletableFuture<Reply> claim(Account account, String token, long newBelowNanos, Duration lease, String met) {
		return reply(account, "claim", token, Long.toString(TimeUnit.NANOSECONDS.toMillis(newBelowNanos)),
				Long.toString(lease.toMillis()), met);
	}

	/** Reads the shared result. */
	CompletableFuture<Reply> read(Account account) {
		return reply(account, "read", "", "0", "0", "");
	}

	/** Reads the shared result, and finds out whether Redis does all that is needed. */
	CompletableFuture<Reply> probe(Account account) {
		return reply(account, "probe", "", "0", "0", "");
	}

	private CompletableFuture<Reply> reply(Account account, String operation, String token, String maxAge, String lease,
			String met) {
		long sent = System.nanoTime();
		return this
			.<List<@Nullable Object>>run(operation, claim, ScriptOutputType.MULTI, account, operation, token, maxAge,
					lease, Long.toString(times.retention().toMillis()), met)
			.thenApply(fields -> Reply.of(fields, account.keyVersion(), sent));
	}

	/**
	 * Publishes the result of a fetch, unless the lease is over.
	 * @param now time of Redis's clock, in milliseconds
	 */
	CompletableFuture<Boolean> publish(Account account, String token, SharedResult result, long now) {
		String retention = Long.toString(times.retention().toMillis());
		SharedResult.Failure failure = result.failure();
		CompletableFuture<Long> published;
		if (failure == null) {
			SharedResult.Answer answer = Objects.requireNonNull(result.answer());
			published = run("publish", publish, ScriptOutputType.INTEGER, account, token, retention, "answer",
					StoredAnswer.write(answer), Long.toString(now - answer.sinceArrival().toMillis()));
		}
		else {
			published = run("publish", publish, ScriptOutputType.INTEGER, account, token, retention, "failure",
					StoredFailure.write(failure), Long.toString(now), Long.toString(now + failure.left().toMillis()),
					Boolean.toString(failure.endsAnswer()));
		}
		return published.thenApply(count -> count == 1);
	}

	/** Gives the lease back. */
	CompletableFuture<Boolean> release(Account account, String token) {
		return this
			.<Long>run("release", publish, ScriptOutputType.INTEGER, account, token,
					Long.toString(times.retention().toMillis()), "nothing")
			.thenApply(count -> count == 1);
	}

	private <T> CompletableFuture<T> run(String operation, Script script, ScriptOutputType type, Account account,
			String... arguments) {
		Timer.Sample sample = Timer.start(meters);
		String[] keys = { key(account) };
		CompletableFuture<T> result;
		try {
			RedisScriptingAsyncCommands<String, String> redis = connections.scripts();
			result = redis.<T>evalsha(script.digest(redis), type, keys, arguments)
				.toCompletableFuture()
				.exceptionallyCompose(failure -> isUnknownScript(failure)
						? redis.<T>eval(script.text(), type, keys, arguments).toCompletableFuture()
						: CompletableFuture.failedFuture(failure));
		}
		catch (RuntimeException failure) {
			result = CompletableFuture.failedFuture(failure);
		}
		return result.whenComplete((value, failure) -> sample
			.stop(timer(operation, failure == null ? "ok" : FleetFault.of(failure).word())));
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

	/** Script, and how Redis knows it. */
	private record Script(String text) {

		static Script of(String name) {
			try (InputStream in = FleetScripts.class.getResourceAsStream(name)) {
				return new Script(new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8));
			}
			catch (IOException e) {
				throw new UncheckedIOException(e);
			}
		}

		String digest(RedisScriptingAsyncCommands<String, String> redis) {
			return redis.digest(text);
		}

	}

	/** What became of a claim or a read. */
	enum Status {

		/** The result serves. */
		SHARED,
		/** The lease is this replica's. */
		GRANTED,
		/** The lease is another replica's. */
		HELD,
		/** It was only read. */
		READ

	}

	/**
	 * Reply of Redis.
	 *
	 * @param now time of Redis's clock, in milliseconds
	 * @param received when the reply came, in nanoseconds of this process
	 * @param leaseLeft what is left of the lease
	 * @param id identity of the result
	 * @param result the shared result; absent where there is none
	 */
	record Reply(Status status, long now, long received, Duration leaseLeft, @Nullable String id,
			@Nullable SharedResult result) {

		/**
		 * Reads a reply. Ages count from when it was asked for: a reply can be slow, and
		 * no answer shall look younger than it is.
		 * @throws InvalidResultException where it holds something else than a result
		 */
		static Reply of(List<@Nullable Object> fields, long keyVersion, long sent) {
			try {
				long now = (Long) Objects.requireNonNull(fields.get(1));
				long received = System.nanoTime();
				Duration latency = Duration.ofNanos(received - sent);
				Status status = Status.valueOf(String.valueOf(fields.get(0)).toUpperCase(Locale.ROOT));
				SharedResult result = result(fields, keyVersion, now, latency);
				if (status == Status.SHARED && result == null) {
					throw new InvalidResultException();
				}
				return new Reply(status, now, received, Duration.ofMillis((Long) Objects.requireNonNull(fields.get(2))),
						(String) fields.get(3), result);
			}
			catch (ArithmeticException | ClassCastException | IllegalArgumentException | IndexOutOfBoundsException
					| NullPointerException ignored) {
				throw new InvalidResultException();
			}
		}

		private static @Nullable SharedResult result(List<@Nullable Object> fields, long keyVersion, long now,
				Duration latency) {
			String answer = (String) fields.get(4);
			String failure = (String) fields.get(6);
			SharedResult.Answer read = answer == null ? null
					: StoredAnswer.read(answer, age(fields.get(5), now, latency));
			if (failure == null) {
				return read == null ? null : new SharedResult(keyVersion, read.sinceArrival(), read, null);
			}
			Duration age = age(fields.get(7), now, latency);
			Duration left = Duration.ofMillis(Long.parseLong(String.valueOf(fields.get(8))) - now).minus(latency);
			left = left.isNegative() ? Duration.ZERO : left.compareTo(MAX_COOLDOWN) > 0 ? MAX_COOLDOWN : left;
			return new SharedResult(keyVersion, age, read, StoredFailure.read(failure, keyVersion, age, left));
		}

		private static Duration age(@Nullable Object at, long now, Duration latency) {
			return Duration.ofMillis(Math.max(0, now - Long.parseLong(String.valueOf(at)))).plus(latency);
		}

	}

}
