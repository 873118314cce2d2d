package dev.comfygateway.support.redis;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Redis master with one replica and three sentinels. */
public final class RedisSentinels implements AutoCloseable {

	private static final String NAME = "comfy";

	private static final int SENTINELS = 3;

	private final List<RedisServer> servers = new ArrayList<>();

	private final List<RedisServer> sentinels = new ArrayList<>();

	private RedisServer master;

	private RedisSentinels(RedisServer master) {
		this.master = master;
		servers.add(master);
	}

	/** Starts servers and sentinels that are ready for a failover. */
	public static RedisSentinels start() throws IOException {
		RedisSentinels all = new RedisSentinels(RedisServer.start());
		try {
			all.form();
			return all;
		}
		catch (Throwable ex) {
			all.close();
			throw ex;
		}
	}

	private void form() throws IOException {
		String port = Integer.toString(master.port());
		RedisServer replica = RedisServer.start("--replicaof", RedisServer.HOST + " " + port);
		servers.add(replica);
		RedisServer.await().until(() -> replica.command("INFO", "replication").contains("master_link_status:up"));
		for (int i = 0; i < SENTINELS; i++) {
			RedisServer sentinel = RedisServer.start("--sentinel");
			sentinels.add(sentinel);
			sentinel.command("SENTINEL", "MONITOR", NAME, RedisServer.HOST, port, "2");
			sentinel.command("SENTINEL", "SET", NAME, "down-after-milliseconds", "500", "failover-timeout", "2000");
		}
		for (RedisServer sentinel : sentinels) {
			RedisServer.await()
				.until(() -> sentinel.command("SENTINEL", "CKQUORUM", NAME).startsWith("OK 3 usable")
						&& sentinel.command("SENTINEL", "REPLICAS", NAME).contains("master-link-status\nok"));
		}
	}

	/** Addresses of the sentinels. */
	public List<String> nodes() {
		return sentinels.stream().map(RedisServer::address).toList();
	}

	/** Name of the master in the configuration of the sentinels. */
	public String masterName() {
		return NAME;
	}

	/** Initial master, or the one found by the last {@link #awaitNewMaster}. */
	public RedisServer master() {
		return master;
	}

	/** Requests a failover, which completes asynchronously. */
	public void failOver() {
		RedisServer.await().until(() -> sentinels.getFirst().command("SENTINEL", "FAILOVER", NAME).equals("OK"));
	}

	public void killMaster() {
		master.kill();
	}

	/** Waits until all sentinels report another master. */
	public void awaitNewMaster() {
		RedisServer other = servers.get(1 - servers.indexOf(master));
		for (RedisServer sentinel : sentinels) {
			RedisServer.await()
				.until(() -> sentinel.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)
					.equals(RedisServer.HOST + "\n" + other.port()));
		}
		master = other;
	}

	@Override
	public void close() throws IOException {
		for (RedisServer server : Stream.concat(sentinels.stream(), servers.stream()).toList()) {
			server.close();
		}
	}

}
