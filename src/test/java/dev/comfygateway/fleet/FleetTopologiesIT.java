package dev.comfygateway.fleet;

import dev.comfygateway.support.RunningGateway;
import dev.comfygateway.support.redis.RedisCluster;
import dev.comfygateway.support.redis.RedisSentinels;
import dev.comfygateway.support.redis.RedisServer;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.parallel.Isolated;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/** Tests of fleets with Redis Cluster, Sentinel, a missing Redis and a shared Redis. */
@Isolated("measures times")
@EnabledIf(value = "dev.comfygateway.support.redis.RedisServer#isAvailable",
		disabledReason = "needs a container engine, or redis-server on the path")
class FleetTopologiesIT {

	private static final int REQUESTS_PER_SECOND = 200;

	@Test
	void clusterFailoverDoesNotAffectCallers() throws IOException {
		try (RedisCluster cluster = RedisCluster.start();
				Gateways gateways = Gateways.start(4,
						"spring.data.redis.cluster.nodes=" + String.join(",", cluster.nodes()))) {
			assertCallersNotAffected(gateways, () -> {
				String key = key(cluster);
				RedisServer master = cluster.masterOf(key);
				master.kill();
				await().atMost(20, TimeUnit.SECONDS).ignoreExceptions().until(() -> cluster.masterOf(key) != master);
			});
		}
	}

	private static String key(RedisCluster cluster) throws IOException {
		StringBuilder keys = new StringBuilder();
		for (RedisServer server : cluster.servers()) {
			keys.append(server.command("KEYS", "{comfy-gateway:*")).append('\n');
		}
		return keys.toString().strip().lines().findFirst().orElseThrow();
	}

	@Test
	void sentinelFailoverDoesNotAffectCallers() throws IOException {
		try (RedisSentinels sentinels = RedisSentinels.start();
				Gateways gateways = Gateways.start(4, "spring.data.redis.sentinel.master=" + sentinels.masterName(),
						"spring.data.redis.sentinel.nodes=" + String.join(",", sentinels.nodes()))) {
			assertCallersNotAffected(gateways, () -> {
				sentinels.failOver();
				sentinels.awaitNewMaster();
			});
			assertCallersNotAffected(gateways, () -> {
				sentinels.killMaster();
				sentinels.awaitNewMaster();
			});
		}
	}

	/** Checks that there is one request per window, and at most one more. */
	private static void assertCallersNotAffected(Gateways gateways, Failover failover) throws IOException {
		awaitOneFleet(gateways);
		try (SteadyLoad load = SteadyLoad.start(gateways, REQUESTS_PER_SECOND)) {
			await().until(() -> load.answered() > REQUESTS_PER_SECOND);
			long start = System.nanoTime();
			int before = gateways.fetches();
			failover.run();
			awaitOneFleet(gateways);
			await().pollDelay(Duration.ofSeconds(3)).until(() -> true);
			long windows = Duration.ofNanos(System.nanoTime() - start).toSeconds() + 1;
			assertThat(gateways.fetches() - before).isLessThanOrEqualTo((int) windows + 1);
			assertThat(load.wrong()).isEmpty();
		}
	}

	@Test
	void gatewaysWhenStartedBeforeRedisFormAFleetLater() throws Exception {
		RedisServer redis = RedisServer.start();
		redis.kill();
		try (redis; Gateways gateways = Gateways.start(2, "spring.data.redis.port=" + redis.port())) {
			assertThat(gateways.get(0).statusCode()).isEqualTo(200);
			assertThat(gateways.get(1).statusCode()).isEqualTo(200);
			assertThat(gateways.fetches()).isEqualTo(2);
			await().untilAsserted(() -> assertThat(gateways.states()).containsOnly("unreachable"));
			redis.restart();
			await().atMost(6, TimeUnit.SECONDS).untilAsserted(() -> assertThat(gateways.states()).containsOnly("ok"));
			gateways.upstream.queueRemaining(77);
			await().untilAsserted(() -> assertThat(gateways.get(0, "Cache-Control", "no-cache").body()).contains("77"));
			int before = gateways.fetches();
			await().untilAsserted(() -> assertThat(gateways.get(1).body()).contains("77"));
			assertThat(gateways.fetches()).isLessThanOrEqualTo(before + 1);
		}
	}

	@Test
	void wrongPasswordIsReportedAndTheRightOneWorks() throws Exception {
		try (RedisServer redis = RedisServer.start("--requirepass", "secret")) {
			String port = "spring.data.redis.port=" + redis.port();
			try (Gateways wrong = Gateways.start(1, port, "spring.data.redis.password=wrong")) {
				assertThat(wrong.get(0).statusCode()).isEqualTo(200);
				await().untilAsserted(() -> assertThat(wrong.states()).containsOnly("wrongpass"));
			}
			try (Gateways right = Gateways.start(2, port, "spring.data.redis.password=secret")) {
				awaitOneFleet(right);
				right.get(0);
				HttpResponse<String> other = right.get(1);
				assertThat(right.fetches()).isEqualTo(1);
				assertThat(other.headers().firstValue("Cache-Status")).isPresent();
			}
		}
	}

	/** Tests the permissions of the Redis user in the operations document. */
	@Test
	void documentedPermissionsAreSufficient() throws Exception {
		try (RedisServer redis = RedisServer.start()) {
			redis.command(rights().split(" "));
			try (Gateways gateways = Gateways.start(2, "spring.data.redis.port=" + redis.port(),
					"spring.data.redis.username=comfy-gateway", "spring.data.redis.password=secret")) {
				awaitOneFleet(gateways);
				gateways.get(0);
				gateways.upstream.queueRemaining(78);
				await().untilAsserted(
						() -> assertThat(gateways.get(0, "Cache-Control", "no-cache").body()).contains("78"));
				await().untilAsserted(() -> assertThat(gateways.get(1).body()).contains("78"));
				assertThat(redis.command("ACL", "LOG")).isBlank();
				redis.command("ACL", "SETUSER", "comfy-gateway", "-publish");
				await().untilAsserted(() -> {
					gateways.get(0, "Cache-Control", "no-cache");
					assertThat(gateways.states()).contains("noperm");
				});
				assertThat(gateways.get(0).statusCode()).isEqualTo(200);
			}
		}
	}

	private static String rights() throws IOException {
		Matcher rights = Pattern.compile("ACL SETUSER comfy-gateway [^`]+")
			.matcher(Files.readString(Path.of("src/docs/operations.md")));
		assertThat(rights.find()).isTrue();
		return rights.group()
			.replaceAll("\\\\\n|'", " ")
			.replace("+client|setinfo", "")
			.replaceAll(">\\S+", ">secret")
			.strip()
			.replaceAll("\\s+", " ");
	}

	@Test
	void accountsOnOneRedisAreSeparate() throws Exception {
		try (RedisServer redis = RedisServer.start()) {
			String port = "spring.data.redis.port=" + redis.port();
			try (Gateways one = Gateways.start(2, port);
					Gateways other = Gateways.start(1, port, "comfy.base-url=" + one.upstream.baseUrl(),
							"gateway.name=other", "comfy.api-key=another-key")) {
				awaitOneFleet(one);
				awaitOneFleet(other);
				one.upstream.queueRemaining(5);
				assertThat(other.get(0).statusCode()).isEqualTo(401);
				assertThat(one.get(0).body()).contains("5");
				assertThat(one.get(1).body()).contains("5");
				assertThat(redis.command("KEYS", "*").lines()).hasSize(2)
					.allMatch(key -> key.matches("\\{comfy-gateway:[0-9a-f]{32}}:4:prompt"));
				assertThat(redis.command("KEYS", "*")).doesNotContain(RunningGateway.KEY);
			}
		}
	}

	private static void awaitOneFleet(Gateways gateways) {
		await().atMost(10, TimeUnit.SECONDS).untilAsserted(() -> assertThat(gateways.states()).containsOnly("ok"));
	}

	/** Action that triggers a failover. */
	private interface Failover {

		void run() throws IOException;

	}

}
