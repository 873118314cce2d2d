package dev.comfygateway.server;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.jetty.autoconfigure.JettyServerProperties;
import org.springframework.stereotype.Component;

/**
 * Limits for requests that occupy a connection for a long time, as shares of the server's
 * connections. A tenth of the connections remains for other requests, such as probes.
 */
@Component
public class ConnectionShare {

	private static final Logger log = LoggerFactory.getLogger(ConnectionShare.class);

	private final int maxConnections;

	public ConnectionShare(JettyServerProperties jetty) {
		this.maxConnections = jetty.getMaxConnections();
	}

	/**
	 * Returns the maximum number of waiting callers: the configured one, but no more than
	 * two fifths of the connections.
	 */
	public int maxWaiting(int configured) {
		return limit("gateway.max-waiting", configured, 4);
	}

	/**
	 * Returns the maximum number of listeners: the configured one, but no more than half
	 * of the connections.
	 */
	public int maxListeners(int configured) {
		return limit("gateway.events.max-listeners", configured, 5);
	}

	private int limit(String setting, int configured, int tenths) {
		int max = (int) (maxConnections * (long) tenths / 10);
		// Zero or less means no limit
		if (maxConnections <= 0 || configured <= max) {
			return configured;
		}
		log.warn("Lowering {} from {} to {}: {} % of server.jetty.max-connections", setting, configured,
				Math.max(1, max), tenths * 10);
		return Math.max(1, max);
	}

}
