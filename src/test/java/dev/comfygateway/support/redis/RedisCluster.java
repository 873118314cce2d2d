package dev.comfygateway.support.redis;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Redis Cluster of three masters with one replica each. */
public final class RedisCluster implements AutoCloseable {

	private static final int MASTERS = 3;

	private static final int SLOTS = 16_384;

	private final List<RedisServer> servers = new ArrayList<>();

	private RedisCluster() {
	}

	/** Starts a cluster that is ready for a failover. */
	public static RedisCluster start() throws IOException {
		RedisCluster cluster = new RedisCluster();
		try {
			cluster.form();
			return cluster;
		}
		catch (Throwable ex) {
			cluster.close();
			throw ex;
		}
	}

	private void form() throws IOException {
		for (int i = 0; i < 2 * MASTERS; i++) {
			RedisServer server = RedisServer.start("--cluster-enabled", "yes", "--cluster-node-timeout", "1000");
			servers.add(server);
			server.command("CLUSTER", "SET-CONFIG-EPOCH", Integer.toString(i + 1));
			server.command("CLUSTER", "MEET", RedisServer.HOST, Integer.toString(servers.getFirst().port()));
		}
		for (int i = 0; i < MASTERS; i++) {
			servers.get(i)
				.command("CLUSTER", "ADDSLOTSRANGE", Integer.toString(SLOTS * i / MASTERS),
						Integer.toString(SLOTS * (i + 1) / MASTERS - 1));
		}
		for (int i = 0; i < MASTERS; i++) {
			RedisServer replica = servers.get(MASTERS + i);
			String master = servers.get(i).command("CLUSTER", "MYID");
			RedisServer.await().until(() -> replica.command("CLUSTER", "REPLICATE", master).equals("OK"));
			RedisServer.await().until(() -> replica.command("INFO", "replication").contains("master_link_status:up"));
		}
		for (RedisServer server : servers) {
			RedisServer.await()
				.until(() -> server.command("CLUSTER", "INFO").contains("cluster_state:ok")
						&& server.command("CLUSTER", "NODES")
							.lines()
							.filter(node -> node.matches(".* (myself,)?slave .* connected.*"))
							.count() == MASTERS);
		}
	}

	/** Addresses of all nodes. */
	public List<String> nodes() {
		return servers.stream().map(RedisServer::address).toList();
	}

	/** All nodes: the initial masters, then the initial replicas. */
	public List<RedisServer> servers() {
		return List.copyOf(servers);
	}

	/** Returns the node that serves the key. Waits for the end of a failover. */
	public RedisServer masterOf(String key) {
		return RedisServer.await()
			.until(() -> servers.stream().filter(server -> serves(server, key)).findFirst(), Optional::isPresent)
			.orElseThrow();
	}

	/** Other nodes reply -MOVED or -CLUSTERDOWN. */
	private static boolean serves(RedisServer server, String key) {
		try {
			return !server.command("EXISTS", key).startsWith("-");
		}
		catch (IOException ignored) {
			return false;
		}
	}

	@Override
	public void close() throws IOException {
		for (RedisServer server : servers) {
			server.close();
		}
	}

}
