package dev.comfygateway.fleet;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.comfygateway.cache.Cooldown;
import dev.comfygateway.cache.FetchResult;
import dev.comfygateway.cache.Fleet;
import dev.comfygateway.cache.Fleet.Claim.Shared;
import dev.comfygateway.cache.Snapshot;
import dev.comfygateway.fleet.FleetReply.Status;
import dev.comfygateway.support.GatewaySettings;
import dev.comfygateway.support.redis.RedisServer;
import dev.comfygateway.upstream.Account;
import dev.comfygateway.upstream.ComfyCloudClient;
import dev.comfygateway.upstream.PromptInfo;
import dev.comfygateway.upstream.UpstreamFailure;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;

/** Tests of the scripts on a real Redis. */
@EnabledIf(value = "dev.comfygateway.support.redis.RedisServer#isAvailable",
		disabledReason = "needs a container engine, or redis-server on the path")
class FleetScriptsIT {

	private static final Account ACCOUNT = new Account(1, "0123456789abcdef0123456789abcdef");

	private static final String KEY = FleetScripts.key(ACCOUNT);

	private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

	private static final Duration LEASE = Duration.ofSeconds(30);

	private static RedisServer redis;

	private static LettuceConnectionFactory factory;

	private static final MeterRegistry meters = new SimpleMeterRegistry();

	private static FleetScripts scripts;

	@BeforeAll
	static void start() throws IOException {
		redis = RedisServer.start();
		factory = new LettuceConnectionFactory("127.0.0.1", redis.port());
		factory.afterPropertiesSet();
		factory.start();
		FleetConnections connections = new FleetConnections(factory);
		connections.connect(KEY, id -> {
		});
		scripts = new FleetScripts(connections,
				FleetTimes.of(Duration.ofMillis(2500), Duration.ofMillis(250), GatewaySettings.with()),
				Ticker.systemTicker(), UnaryOperator.identity(), meters);
	}

	@AfterAll
	static void stop() throws IOException {
		factory.destroy();
		redis.close();
	}

	@BeforeEach
	void empty() throws IOException {
		redis.command("FLUSHALL");
	}

	@Test
	void claimIsGrantedToOneAndReportedAsHeldToOthers() {
		assertThat(claim("one").status()).isEqualTo(Status.GRANTED);
		FleetReply other = claim("other");
		assertThat(other.status()).isEqualTo(Status.HELD);
		assertThat(other.leaseLeft()).isBetween(Duration.ofSeconds(20), LEASE);
	}

	@Test
	void publishedAnswerIsSharedDependingOnItsAge() {
		FleetReply granted = claim("one");
		assertThat(publish("one", answer(7), granted.redisMillis())).isTrue();
		FleetReply other = claim("other");
		assertThat(other.status()).isEqualTo(Status.SHARED);
		assertThat(other.id()).isEqualTo("one");
		assertThat(snapshot(shared(other)).promptInfo().remaining()).isEqualTo(7);
		assertThat(scripts.claim(ACCOUNT, "other", 0, LEASE, "").join().status()).isEqualTo(Status.GRANTED);
	}

	@Test
	void ageIsMeasuredFromArrivalAndNotFromPublication() {
		FleetReply granted = claim("one");
		publish("one", answer(7), granted.redisMillis() - 5000);
		assertThat(snapshot(read()).sinceArrival(System.nanoTime())).isGreaterThanOrEqualTo(5 * SECOND);
		assertThat(claim("other").status()).isEqualTo(Status.GRANTED);
	}

	@Test
	void holderWhenLeaseHasExpiredAndIsClaimedCannotPublish() {
		FleetReply late = scripts.claim(ACCOUNT, "late", SECOND, Duration.ofMillis(20), "").join();
		FleetReply next = await().until(() -> claim("next"), reply -> reply.status() == Status.GRANTED);
		assertThat(publish("late", answer(1), late.redisMillis())).isFalse();
		assertThat(publish("next", answer(2), next.redisMillis())).isTrue();
		assertThat(publish("late", answer(1), late.redisMillis())).isFalse();
		assertThat(scripts.read(ACCOUNT).join().id()).isEqualTo("next");
	}

	@Test
	void holderWhenLeaseHasExpiredCannotPublish() {
		long before = expired("publish");
		FleetReply late = scripts.claim(ACCOUNT, "late", SECOND, Duration.ofMillis(20), "").join();
		await().until(() -> scripts.read(ACCOUNT).join().leaseLeft().isZero());
		assertThat(publish("late", answer(1), late.redisMillis())).isFalse();
		assertThat(expired("publish") - before).isOne();
		assertThat(expired("claim")).isZero();
	}

	/** Number of operations that found their lease expired. */
	private static long expired(String operation) {
		return meters.find("comfy.gateway.fleet.requests")
			.tags("operation", operation, "outcome", "expired")
			.timers()
			.stream()
			.mapToLong(Timer::count)
			.sum();
	}

	@Test
	void ageOfTheUpstreamDoesNotCountAsTimeSinceArrival() {
		long now = System.nanoTime();
		publish("one", new Snapshot(new PromptInfo(null), Duration.ofSeconds(40), null, now, now, Instant.EPOCH, 1),
				claim("one").redisMillis());
		assertThat(scripts.claim(ACCOUNT, "other", 20 * SECOND, LEASE, "").join().status()).isEqualTo(Status.SHARED);
		assertThat(snapshot(read()).ageOnArrival()).isEqualTo(Duration.ofSeconds(40));
		assertThat(snapshot(read()).sinceArrival(System.nanoTime())).isLessThan(20 * SECOND);
	}

	@Test
	void answerOfAJoinedFetchIsSharedAtAnyAge() {
		publish("one", answer(7), claim("one").redisMillis());
		FleetReply next = scripts.claim(ACCOUNT, "two", 0, LEASE, "").join();
		assertThat(scripts.claim(ACCOUNT, "three", 0, LEASE, "").join().status()).isEqualTo(Status.HELD);
		publish("two", answer(8), next.redisMillis() - 60_000);
		assertThat(scripts.claim(ACCOUNT, "three", 0, LEASE, "one").join().status()).isEqualTo(Status.SHARED);
		assertThat(scripts.claim(ACCOUNT, "four", 0, LEASE, "two").join().status()).isEqualTo(Status.GRANTED);
	}

	@Test
	void leaseWhenResultIsOfAnotherKeyIsReleased() {
		ComfyCloudClient client = mock(ComfyCloudClient.class);
		when(client.account()).thenReturn(ACCOUNT);
		SimpleMeterRegistry meters = new SimpleMeterRegistry();
		RedisFleet fleet = new RedisFleet(new FleetConnections(factory), new FleetState(meters),
				FleetTimes.of(Duration.ofSeconds(20), Duration.ofSeconds(5), GatewaySettings.with()), client,
				Ticker.systemTicker(), meters);
		fleet.start();
		try {
			await().until(() -> fleet.state().equals(Optional.of("ok")));
			Fleet.Claim claim = fleet.claim(SECOND, false).join();
			assertThat(claim("other").status()).isEqualTo(Status.HELD);
			((Fleet.Claim.Granted) claim).lease().publish(answer(7, ACCOUNT.keyVersion() + 1));
			await().until(() -> claim("other").status() == Status.GRANTED);
		}
		finally {
			fleet.stop();
		}
	}

	@Test
	void releasedLeaseIsGrantedImmediately() {
		claim("one");
		assertThat(scripts.release(ACCOUNT, "other").join()).isFalse();
		assertThat(scripts.release(ACCOUNT, "one").join()).isTrue();
		assertThat(claim("other").status()).isEqualTo(Status.GRANTED);
	}

	@ParameterizedTest
	@ValueSource(strings = { "failedAt 1 cooldownEnd 99999999999999", "arrivedAt 1", "answer {} cooldownEnd 1",
			"leaseEnd 99999999999999", "leaseEnd nan", "arrivedAt inf", "id x", "failure {} failedAt rubbish" })
	void incompleteResultIsIgnored(String fields) throws IOException {
		redis.command(("HSET " + KEY + " " + fields).split(" "));
		assertThat(scripts.claim(ACCOUNT, "one", SECOND, LEASE, "")
			.handle((reply, failure) -> reply == null ? FleetFailure.of(failure) : reply.status())
			.join()).isIn(Status.GRANTED, FleetFailure.INVALID);
	}

	@Test
	void leaseOfATimedOutClaimDoesNotBlockItsReplica() {
		assertThat(claim("replica:1").status()).isEqualTo(Status.GRANTED);
		assertThat(claim("other:1").status()).isEqualTo(Status.HELD);
		FleetReply again = claim("replica:2");
		assertThat(again.status()).isEqualTo(Status.GRANTED);
		assertThat(publish("replica:1", answer(1), again.redisMillis())).isFalse();
		assertThat(publish("replica:2", answer(2), again.redisMillis())).isTrue();
	}

	@Test
	void failureIsSharedUntilTheEndOfTheCoolDown() {
		FleetReply granted = claim("one");
		publish("one", failure(Reason.RATE_LIMITED, Duration.ofSeconds(20)), granted.redisMillis());
		FleetReply other = claim("other");
		assertThat(other.status()).isEqualTo(Status.SHARED);
		Cooldown cooldown = (Cooldown) shared(other).result();
		assertThat(cooldown.remaining(System.nanoTime())).isBetween(10 * SECOND, 20 * SECOND);
		assertThat(cooldown.failure().reason()).isEqualTo(Reason.RATE_LIMITED);
	}

	@Test
	void failureKeepsTheAnswerUnlessItInvalidatesIt() {
		publish("one", answer(7), claim("one").redisMillis());
		FleetReply again = scripts.claim(ACCOUNT, "two", 0, LEASE, "").join();
		publish("two", failure(Reason.UNAVAILABLE, Duration.ZERO), again.redisMillis());
		assertThat(read().lastGood()).isNotNull();
		again = scripts.claim(ACCOUNT, "three", 0, LEASE, "").join();
		publish("three", failure(Reason.UNAUTHORIZED, Duration.ZERO), again.redisMillis());
		assertThat(read().lastGood()).isNull();
		again = claim("four");
		publish("four", answer(8), again.redisMillis());
		assertThat(read().result()).isInstanceOf(Snapshot.class);
	}

	@Test
	void timesInTheFutureAreIgnored() throws IOException {
		long hour = TimeUnit.HOURS.toMillis(1);
		FleetReply granted = claim("one");
		publish("one", failure(Reason.UNAVAILABLE, Duration.ofHours(2)), granted.redisMillis() + hour);
		redis.command("HSET", KEY, "holder", "other", "leaseEnd", Long.toString(granted.redisMillis() + hour));
		assertThat(claim("two").status()).isEqualTo(Status.GRANTED);
		publish("two", answer(7), granted.redisMillis() + hour);
		assertThat(claim("three").status()).isEqualTo(Status.GRANTED);
	}

	@Test
	void allKeysExpire() throws IOException {
		scripts.probe(ACCOUNT).join();
		assertThat(redis.command("KEYS", "*")).isEmpty();
		claim("one");
		assertThat(Long.parseLong(redis.command("PTTL", KEY))).isPositive();
		scripts.probe(ACCOUNT).join();
		assertThat(Long.parseLong(redis.command("PTTL", KEY))).isPositive();
	}

	/** Returns the commands that any script calls. */
	static Stream<String> commands() {
		return Stream.of("claim.lua", "publish.lua")
			.flatMap(script -> Pattern.compile("redis\\.p?call\\('(\\w+)'")
				.matcher(FleetScripts.load(script))
				.results()
				.map(call -> call.group(1)))
			.distinct();
	}

	@ParameterizedTest
	@MethodSource("commands")
	void probeWhenACommandIsDeniedFails(String command) throws IOException {
		redis.command("ACL", "SETUSER", "default", "-" + command);
		try {
			assertThat(scripts.probe(ACCOUNT)).failsWithin(Duration.ofSeconds(5))
				.withThrowableThat()
				.extracting(FleetFailure::of)
				.isEqualTo(FleetFailure.NOPERM);
		}
		finally {
			redis.command("ACL", "SETUSER", "default", "+@all");
		}
	}

	@Test
	void hashIsWithinTheSizeLimit() throws IOException {
		publish("one", answer(Long.MAX_VALUE), claim("one").redisMillis());
		FleetReply again = scripts.claim(ACCOUNT, "two", 0, LEASE, "").join();
		publish("two", failure(Reason.RATE_LIMITED, LEASE), again.redisMillis());
		assertThat(Long.parseLong(redis.command("MEMORY", "USAGE", KEY))).isLessThan(4096);
	}

	@Test
	void scriptsAfterAScriptFlushAreReloaded() throws IOException {
		claim("one");
		redis.command("SCRIPT", "FLUSH");
		assertThat(claim("other").status()).isEqualTo(Status.HELD);
	}

	private static FleetReply claim(String token) {
		return scripts.claim(ACCOUNT, token, SECOND, LEASE, "").join();
	}

	private static boolean publish(String token, FetchResult result, long now) {
		return scripts.publish(ACCOUNT, token, result, now).join();
	}

	private static Shared read() {
		return shared(scripts.read(ACCOUNT).join());
	}

	private static Shared shared(FleetReply reply) {
		return Objects.requireNonNull(reply.shared());
	}

	private static Snapshot snapshot(Shared shared) {
		return (Snapshot) shared.result();
	}

	private static FetchResult answer(long queueRemaining) {
		return answer(queueRemaining, 1);
	}

	private static FetchResult answer(long queueRemaining, long keyVersion) {
		long now = System.nanoTime();
		return new Snapshot(new PromptInfo(new PromptInfo.ExecInfo(queueRemaining)), Duration.ZERO, null, now, now,
				Instant.EPOCH, keyVersion);
	}

	private static FetchResult failure(Reason reason, Duration left) {
		long now = System.nanoTime();
		return new Cooldown(new UpstreamFailure(reason, 503, "C".repeat(64), "m".repeat(300), null, 1), now,
				Duration.ofSeconds(1), now + left.toNanos(), reason == Reason.UNAUTHORIZED, now, 1);
	}

}
