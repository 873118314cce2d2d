package dev.comfygateway.fleet;

import dev.comfygateway.simulator.Behaviour;
import dev.comfygateway.simulator.Hold;
import dev.comfygateway.support.GatewayProcess;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RunningGateway;
import dev.comfygateway.support.redis.RedisMonitor;
import dev.comfygateway.support.redis.RedisServer;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Tests of a fleet of eight gateways under load, with a real Redis that fails in many
 * ways.
 */
@Isolated("measures times under load")
@EnabledIf(value = "dev.comfygateway.support.redis.RedisServer#isAvailable",
		disabledReason = "needs a container engine, or redis-server on the path")
class FleetIT {

	private static final int GATEWAYS = 8;

	private static final int REQUESTS_PER_SECOND = 500;

	private static final Duration DEADLINE = Duration.ofMillis(2500);

	private static final Duration LEASE = DEADLINE.plusMillis(250);

	/** Tolerance for a machine that runs all processes. */
	private static final Duration SLOWNESS = Duration.ofMillis(500);

	private static RedisServer redis;

	private static Gateways gateways;

	@BeforeAll
	static void start() throws IOException {
		redis = RedisServer.start("--busy-reply-threshold", "100", "--enable-debug-command", "yes");
		gateways = Gateways.start(GATEWAYS, "spring.data.redis.port=" + redis.port());
	}

	@AfterAll
	static void stop() throws IOException {
		gateways.close();
		redis.close();
	}

	@BeforeEach
	void recover() {
		gateways.upstream.behave(Behaviour.NORMAL);
		awaitOneFleet(Duration.ofSeconds(20));
		// A cool-down of the previous test would affect this one
		await().atMost(20, TimeUnit.SECONDS)
			.untilAsserted(() -> assertThat(IntStream.range(0, GATEWAYS)
				.mapToObj(i -> gateways.caller
					.sendAsync(gateways.request(i, "Cache-Control", "no-cache"), BodyHandlers.discarding())
					.join()
					.statusCode()))
				.containsOnly(200));
	}

	@Test
	void fleetSendsOneRequestPerWindow() {
		Duration time = Duration.ofSeconds(10);
		try (SteadyLoad load = SteadyLoad.start(gateways, REQUESTS_PER_SECOND)) {
			int before = gateways.fetches();
			awaitRealTime(time);
			int fetches = gateways.fetches() - before;
			assertThat(fetches).isBetween(7, (int) time.toSeconds() + 2);
			assertThat(load.answered()).isGreaterThan((int) time.toSeconds() * REQUESTS_PER_SECOND * 9 / 10);
			assertThat(load.wrong()).isEmpty();
		}
	}

	/** Failures of Redis, and their names in health, log and metrics. */
	enum Incident {

		KILLED("unreachable") {
			@Override
			void begin() {
				redis.kill();
			}

			@Override
			void end() throws IOException {
				redis.restart();
			}
		},
		FROZEN("timeout") {
			@Override
			void begin() throws IOException {
				redis.freeze();
			}

			@Override
			void end() throws IOException {
				redis.thaw();
			}
		},
		SLOW("timeout") {
			@Override
			void begin() throws IOException {
				redis.command("CLIENT", "PAUSE", "4000", "ALL");
			}

			@Override
			void end() {
				await().atMost(10, TimeUnit.SECONDS)
					.ignoreExceptions()
					.until(() -> redis.command("PING").equals("PONG"));
			}
		},
		FULL("oom") {
			@Override
			void begin() throws IOException {
				redis.command("CONFIG", "SET", "maxmemory", "1", "maxmemory-policy", "noeviction");
			}

			@Override
			void end() throws IOException {
				redis.command("CONFIG", "SET", "maxmemory", "0");
			}
		},
		READ_ONLY("readonly") {
			@Override
			void begin() throws IOException {
				redis.command("REPLICAOF", "127.0.0.1", "1");
			}

			@Override
			void end() throws IOException {
				redis.command("REPLICAOF", "NO", "ONE");
			}
		},
		LOADING("loading") {
			private @Nullable RedisServer master;

			@Override
			void begin() throws IOException {
				RedisServer full = RedisServer.start("--enable-debug-command", "yes");
				master = full;
				full.command("DEBUG", "POPULATE", "40000");
				// Microseconds per key
				redis.command("CONFIG", "SET", "key-load-delay", "100", "loading-process-events-interval-bytes",
						"1024");
				redis.command("REPLICAOF", "127.0.0.1", Integer.toString(full.port()));
			}

			@Override
			void end() throws IOException {
				await().atMost(30, TimeUnit.SECONDS)
					.ignoreExceptions()
					.until(() -> redis.command("REPLICAOF", "NO", "ONE").equals("OK"));
				redis.command("CONFIG", "SET", "key-load-delay", "0");
				redis.command("FLUSHALL");
				Objects.requireNonNull(master).close();
			}
		},
		PASSWORD_SET("noauth") {
			@Override
			void begin() throws IOException {
				redis.requirePassword("secret");
				redis.command("CLIENT", "KILL", "TYPE", "pubsub");
				redis.command("CLIENT", "KILL", "TYPE", "normal");
			}

			@Override
			void end() throws IOException {
				redis.requirePassword("");
			}
		},
		NOT_PERMITTED("noperm") {
			@Override
			void begin() throws IOException {
				redis.command("ACL", "SETUSER", "default", "-evalsha", "-eval");
			}

			@Override
			void end() throws IOException {
				redis.command("ACL", "SETUSER", "default", "+@all");
			}
		},
		BUSY("busy") {
			@Override
			void begin() {
				CompletableFuture.runAsync(() -> {
					try {
						redis.command("EVAL", "while true do end", "0");
					}
					catch (IOException ignored) {
						// The script was killed
					}
				});
			}

			@Override
			void end() throws IOException {
				redis.command("SCRIPT", "KILL");
			}
		},
		WRONG_TYPE("wrongtype") {
			@Override
			void begin() throws IOException {
				redis.command("SET", key(), "rubbish");
			}

			@Override
			void end() throws IOException {
				redis.command("DEL", key());
			}
		},
		OTHER_FORMAT("invalid") {
			@Override
			void begin() throws IOException {
				redis.command("HSET", key(), "answer", "{\"version\":9}", "arrivedAt", "1");
			}

			@Override
			void end() throws IOException {
				redis.command("DEL", key());
			}
		};

		final String word;

		Incident(String word) {
			this.word = word;
		}

		abstract void begin() throws IOException;

		abstract void end() throws IOException;

		static String key() throws IOException {
			return redis.command("KEYS", "{comfy-gateway:*").strip();
		}

	}

	@ParameterizedTest
	@EnumSource
	void callersAreServedDuring(Incident incident) throws Exception {
		try (SteadyLoad load = SteadyLoad.start(gateways, REQUESTS_PER_SECOND)) {
			await().until(() -> load.answered() > REQUESTS_PER_SECOND / 4);
			incident.begin();
			await().atMost(10, TimeUnit.SECONDS)
				.untilAsserted(() -> assertThat(gateways.states()).contains(incident.word));
			assertThat(gateways.manage(0, "health")).contains("\"readinessState\":{\"status\":\"UP\"}");
			assertThat(down()).isNotEmpty();
			awaitRealTime(Duration.ofSeconds(1));
			incident.end();
			awaitOneFleet(Duration.ofSeconds(5));
			int before = gateways.fetches();
			awaitRealTime(Duration.ofSeconds(1));
			assertThat(gateways.fetches() - before).isLessThanOrEqualTo(2);
			assertThat(load.wrong()).isEmpty();
			assertThat(load.slowest()).isLessThan(DEADLINE.plus(SLOWNESS));
		}
	}

	@Test
	void freshAnswersSendNoCommandsToRedis() throws Exception {
		gateways.get(0);
		await().until(() -> gateways.get(0).headers().firstValue("Cache-Status").orElseThrow().contains("hit; ttl=0"));
		try (RedisMonitor monitor = redis.monitor()) {
			int before = 0;
			int hits = 0;
			// Until the answer is stale
			while (gateways.get(0).headers().firstValue("Cache-Status").orElseThrow().endsWith("hit; ttl=0")) {
				before = monitor.commands().size();
				hits++;
			}
			assertThat(hits).isGreaterThan(20);
			assertThat(monitor.commands().subList(0, before)).noneMatch(command -> command.contains("evalsha"));
		}
	}

	@Test
	void requestsToRedisAreTimed() throws Exception {
		gateways.get(0, "Cache-Control", "no-cache");
		assertThat(gateways.manage(0, "prometheus")).contains("comfy_gateway_fleet_up 1.0\n",
				"comfy_gateway_fleet_requests_seconds_count{operation=\"claim\",outcome=\"ok\"}");
	}

	@Test
	void allReplicasServeTheSameAnswer() throws Exception {
		gateways.upstream.queueRemaining(41);
		HttpResponse<String> first = gateways.get(0, "Cache-Control", "no-cache");
		for (int i = 1; i < gateways.count(); i++) {
			int gateway = i;
			await().untilAsserted(() -> {
				HttpResponse<String> other = gateways.get(gateway);
				assertThat(other.body()).isEqualTo(first.body());
				assertThat(other.headers().firstValue("ETag")).isEqualTo(first.headers().firstValue("ETag"));
			});
		}
	}

	@Test
	void refreshFloorAppliesAcrossTheFleet() {
		int before = gateways.fetches();
		long start = System.nanoTime();
		IntStream.range(0, 400).parallel().forEach(i -> {
			try {
				assertThat(gateways.get(i % GATEWAYS, "Cache-Control", "no-cache").statusCode()).isEqualTo(200);
			}
			catch (Exception e) {
				throw new IllegalStateException(e);
			}
		});
		long halfSeconds = Duration.ofNanos(System.nanoTime() - start).toMillis() / 500;
		assertThat(gateways.fetches() - before).isLessThanOrEqualTo((int) halfSeconds + 2);
	}

	@Test
	void coolDownAppliesAcrossTheFleet() throws Exception {
		gateways.upstream.behave(Behaviour.LIMIT);
		await()
			.untilAsserted(() -> assertThat(gateways.get(0, "Cache-Control", "no-cache").statusCode()).isEqualTo(429));
		int before = gateways.fetches();
		for (int i = 0; i < GATEWAYS; i++) {
			HttpResponse<String> answer = gateways.get(i, "Cache-Control", "no-cache");
			assertThat(answer.statusCode()).isEqualTo(429);
			assertThat(answer.headers().firstValueAsLong("Retry-After").orElseThrow()).isBetween(1L, 7L);
		}
		assertThat(gateways.fetches()).isEqualTo(before);
		redis.command("FLUSHALL");
		gateways.upstream.behave(Behaviour.NORMAL);
	}

	/** Redis can contain data that was not written by a replica of this version. */
	@Test
	void failureWithAPartOfTheKeyIsServedWithoutIt() throws Exception {
		gateways.upstream.behave(Behaviour.LIMIT);
		await()
			.untilAsserted(() -> assertThat(gateways.get(0, "Cache-Control", "no-cache").statusCode()).isEqualTo(429));
		String written = redis.command("HGET", Incident.key(), "failure").strip();
		assertThat(written).contains("\"RATE_LIMITED\",\"message\":\"Too many requests\"");
		String piece = RunningGateway.KEY.substring(3, 12);
		for (String[] foreign : new String[][] { { piece, "Foreign" }, { "FOREIGN", "Not " + piece },
				{ "FOREIGN", "Not " + RunningGateway.KEY } }) {
			String failure = written.replace("\"RATE_LIMITED\",\"message\":\"Too many requests\"",
					"\"%s\",\"message\":\"%s\"".formatted(foreign[0], foreign[1]));
			// Repeated, since a fetch of a replica can replace it after a cool-down
			await().untilAsserted(() -> {
				String id = UUID.randomUUID().toString();
				redis.command("HSET", Incident.key(), "id", id, "failedAt", Long.toString(System.currentTimeMillis()),
						"failure", failure);
				redis.command("PUBLISH", Incident.key(), id);
				String body = gateways.get(1, "Cache-Control", "no-cache").body();
				assertThat(body).containsIgnoringCase("foreign").doesNotContain(piece);
			});
		}
		redis.command("FLUSHALL");
		gateways.upstream.behave(Behaviour.NORMAL);
	}

	/** A replica that is killed or shut down during a fetch. */
	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void holderWhenItExitsDuringAFetchDelaysOthersByAtMostItsLease(boolean killed) throws Exception {
		String port = "spring.data.redis.port=" + redis.port();
		try (Gateways others = Gateways.start(2, port)) {
			Hold hold;
			try (GatewayProcess holder = GatewayProcess.start(Map.of("COMFY_API_KEY", RunningGateway.KEY,
					"COMFY_BASE_URL", others.upstream.baseUrl(), "GATEWAY_FLEET", "redis", "GATEWAY_FRESH_FOR", "1s"),
					"--" + port)) {
				holder.awaitStart();
				await().until(() -> RawConnection.get(holder.managementPort(), "/actuator/prometheus")
					.body()
					.contains("comfy_gateway_fleet_up 1.0\n"));
				others.get(0);
				await().untilAsserted(() -> assertThat(others.states()).containsOnly("ok"));
				// It has an answer, so its next fetch runs in the background
				assertThat(RawConnection.get(holder.port(), "/api/prompt").status()).isEqualTo(200);
				hold = others.upstream.hold();
				await().until(() -> RawConnection.get(holder.port(), "/api/prompt")
					.header("Cache-Status")
					.orElseThrow()
					.endsWith("detail=revalidating"));
				hold.awaitArrival(1);
				if (!killed) {
					holder.terminate();
					holder.awaitExit();
				}
			}
			int before = others.fetches();
			hold.release();
			long start = System.nanoTime();
			await().atMost(LEASE.plus(SLOWNESS))
				.until(() -> others.get(0, "Cache-Control", "no-cache").statusCode() == 200);
			assertThat(Duration.ofNanos(System.nanoTime() - start))
				.isLessThan(killed ? LEASE.plus(SLOWNESS) : Duration.ofSeconds(1));
			assertThat(others.get(1).statusCode()).isEqualTo(200);
			assertThat(others.fetches() - before).isLessThanOrEqualTo(2);
		}
	}

	@Test
	void callersWaitingForAnotherReplicaGetAResultByTheirDeadline() throws Exception {
		try (Gateways two = Gateways.start(2, "spring.data.redis.port=" + redis.port(), "gateway.cooldown=100ms")) {
			two.upstream.behave(Behaviour.STALL);
			long start = System.nanoTime();
			List<CompletableFuture<HttpResponse<String>>> waiting = IntStream.range(0, 2)
				.mapToObj(i -> two.caller.sendAsync(two.request(i), BodyHandlers.ofString()))
				.toList();
			for (CompletableFuture<HttpResponse<String>> answer : waiting) {
				assertThat(answer.get(10, TimeUnit.SECONDS).statusCode()).isEqualTo(504);
			}
			assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(DEADLINE.plus(SLOWNESS));
			assertThat(two.fetches()).isEqualTo(1);
		}
	}

	@Test
	void freshForWhenZeroAllowsOneFetchAtATime() throws Exception {
		try (Gateways four = Gateways.start(4, "spring.data.redis.port=" + redis.port(), "gateway.fresh-for=0s")) {
			await().untilAsserted(() -> assertThat(four.states()).containsOnly("ok"));
			for (int round = 0; round < 3; round++) {
				int before = four.fetches();
				Hold hold = four.upstream.hold();
				List<CompletableFuture<HttpResponse<String>>> waiting = IntStream.range(0, 4)
					.mapToObj(i -> four.caller.sendAsync(four.request(i), BodyHandlers.ofString()))
					.toList();
				hold.awaitArrival(1);
				// After this time, all replicas have found the lease taken
				awaitRealTime(Duration.ofMillis(400));
				hold.release();
				for (CompletableFuture<HttpResponse<String>> answer : waiting) {
					assertThat(answer.get(10, TimeUnit.SECONDS).statusCode()).isEqualTo(200);
				}
				assertThat(four.fetches() - before).isEqualTo(1);
				assertThat(four.upstream.maxInFlight()).isEqualTo(1);
			}
		}
	}

	private static void awaitOneFleet(Duration limit) {
		await().atMost(limit.plus(SLOWNESS)).untilAsserted(() -> assertThat(gateways.states()).containsOnly("ok"));
	}

	private static List<String> down() {
		return IntStream.range(0, GATEWAYS)
			.mapToObj(i -> gateways.manage(i, "prometheus"))
			.flatMap(String::lines)
			.filter("comfy_gateway_fleet_up 0.0"::equals)
			.toList();
	}

	/** Waits in real time, since Redis uses the real clock, while the load continues. */
	private static void awaitRealTime(Duration time) {
		await().pollDelay(time).atMost(time.plusSeconds(10)).until(() -> true);
	}

}
