package dev.comfygateway.server;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.jetty.autoconfigure.JettyServerProperties;
import org.springframework.stereotype.Component;

/**
 * Share of the server's connections that callers of one kind may occupy for long. A tenth
 * of the connections stays free for others, such as probes.
 */
@Component
public class ConnectionShare {

	private static final Logger log = LoggerFactory.getLogger(ConnectionShare.class);

	private final int maxConnections;

	public ConnectionShare(JettyServerProperties jetty) {
		this.maxConnections = jetty.getMaxConnections();
	}

	/** Configured maximum of waiting callers, at most two fifths of the connections. */
	public int maxWaiting(int configured) {
		return limit("gateway.max-waiting", configured, 4);
	}

	/** Configured maximum of listeners, at most half of the connections. */
	public int maxListeners(int configured) {
		return limit("gateway.events.max-listeners", configured, 5);
	}

	private int limit(String setting, int configured, int tenths) {
		int max = (int) (maxConnections * (long) tenths / 10);
		// Zero or less is no limit
		if (maxConnections <= 0 || configured <= max) {
			return configured;
		}
		log.warn("Lowering {} from {} to {}: {} % of server.jetty.max-connections", setting, configured,
				Math.max(1, max), tenths * 10);
		return Math.max(1, max);
	}

}
