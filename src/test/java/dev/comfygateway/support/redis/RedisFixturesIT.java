package dev.comfygateway.support.redis;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.junit.jupiter.api.Assertions.assertTimeout;

/** Real Redis, which can be killed, frozen and watched. */
@EnabledIf(value = "dev.comfygateway.support.redis.RedisServer#isAvailable",
		disabledReason = "Neither a container engine nor redis-server")
class RedisFixturesIT {

	@Test
	void commandIsAnsweredWithText() throws IOException {
		try (RedisServer redis = RedisServer.start()) {
			assertThat(redis.url()).isEqualTo("redis://127.0.0.1:" + redis.port());
			assertThat(redis.command("SET", "key", "a value\r\n\u00e9")).isEqualTo("OK");
			assertThat(redis.command("GET", "key")).isEqualTo("a value\r\n\u00e9");
			assertThat(redis.command("GET", "other")).isEqualTo(RedisServer.NIL);
			assertThat(redis.command("RPUSH", "list", "one", "two")).isEqualTo("2");
			assertThat(redis.command("LRANGE", "list", "0", "-1")).isEqualTo("one\ntwo");
			assertThat(redis.command("GET", "list")).startsWith("-WRONGTYPE ");
		}
	}

	@Test
	void commandWhenServerHasAPasswordUsesIt() throws IOException {
		try (RedisServer redis = RedisServer.start("--requirepass", "secret");
				RedisConnection stranger = new RedisConnection(redis.port())) {
			assertThat(redis.command("SET", "key", "value")).isEqualTo("OK");
			assertThat(stranger.command("GET", "key")).startsWith("-NOAUTH ");
		}
	}

	@Test
	void frozenServerAnswersOnceItIsThawed() throws IOException {
		try (RedisServer redis = RedisServer.start()) {
			redis.command("SET", "key", "value");
			redis.freeze();
			assertThatIOException().isThrownBy(() -> redis.command("GET", "key"))
				.isInstanceOf(SocketTimeoutException.class);
			redis.thaw();
			assertThat(redis.command("GET", "key")).isEqualTo("value");
		}
	}

	@Test
	void frozenServerCanBeClosed() throws IOException {
		RedisServer redis = RedisServer.start();
		redis.freeze();
		redis.close();
		assertThatIOException().isThrownBy(() -> redis.command("PING")).withMessageContaining("refused");
	}

	@Test
	void killedServerIsEmptyAfterItsRestart() throws IOException {
		try (RedisServer redis = RedisServer.start()) {
			redis.command("SET", "key", "value");
			redis.kill();
			assertThatIOException().isThrownBy(() -> redis.command("PING")).withMessageContaining("refused");
			redis.restart();
			assertThat(redis.command("GET", "key")).isEqualTo(RedisServer.NIL);
		}
	}

	@Test
	void monitorHasCommands() throws IOException {
		try (RedisServer redis = RedisServer.start(); RedisMonitor monitor = redis.monitor()) {
			redis.command("SET", "key", "[value] \"");
			redis.command("GET", "key");
			Awaitility.await()
				.untilAsserted(() -> assertThat(monitor.commands()).containsExactly("\"SET\" \"key\" \"[value] \\\"\"",
						"\"GET\" \"key\""));
		}
	}

	@Test
	void clusterServesSlotsOfAKilledMaster() throws IOException {
		try (RedisCluster cluster = RedisCluster.start()) {
			assertThat(cluster.nodes()).hasSize(6);
			RedisServer master = cluster.masterOf("key");
			assertThat(master.command("SET", "key", "value")).isEqualTo("OK");
			assertThat(cluster.servers().stream().filter(server -> server != master))
				.allSatisfy(other -> assertThat(other.command("GET", "key")).startsWith("-MOVED "));
			assertThat(master.command("WAIT", "1", "500")).isEqualTo("1");
			master.kill();
			RedisServer next = assertTimeout(Duration.ofSeconds(10), () -> cluster.masterOf("key"));
			assertThat(next).isNotSameAs(master);
			assertThat(next.command("GET", "key")).isEqualTo("value");
		}
	}

	@Test
	void sentinelsFailOver() throws IOException {
		try (RedisSentinels sentinels = RedisSentinels.start()) {
			assertThat(sentinels.nodes()).hasSize(3);
			RedisServer first = sentinels.master();
			sentinels.failOver();
			sentinels.awaitNewMaster();
			assertThat(sentinels.master()).isNotSameAs(first);
			assertThat(sentinels.master().command("SET", "key", "value")).isEqualTo("OK");
		}
	}

	@Test
	void sentinelsReplaceAKilledMaster() throws IOException {
		try (RedisSentinels sentinels = RedisSentinels.start()) {
			sentinels.killMaster();
			sentinels.awaitNewMaster();
			assertThat(sentinels.master().command("SET", "key", "value")).isEqualTo("OK");
		}
	}

}
