package dev.comfygateway.server;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Share of the server's connections that callers of one kind may occupy for long: half of
 * them, so that others, such as probes, find one.
 */
public final class ConnectionShare {

	private static final Logger log = LoggerFactory.getLogger(ConnectionShare.class);

	private ConnectionShare() {
	}

	/**
	 * Number of callers that a setting allows within the share.
	 * @param maxConnections {@code server.jetty.max-connections}; zero or less for no
	 * bound
	 */
	public static int bound(String setting, int configured, int maxConnections) {
		if (maxConnections <= 0 || configured <= maxConnections / 2) {
			return configured;
		}
		int max = Math.max(1, maxConnections / 2);
		log.warn("{} is {} instead of {}: half of server.jetty.max-connections", setting, max, configured);
		return max;
	}

}
