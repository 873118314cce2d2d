package dev.comfygateway.server;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.jetty.autoconfigure.JettyServerProperties;
import org.springframework.stereotype.Component;

/**
 * Share of the server's connections that callers of one kind may occupy for long: half of
 * them, so that others, such as probes, find one.
 */
@Component
public class ConnectionShare {

	private static final Logger log = LoggerFactory.getLogger(ConnectionShare.class);

	private final int maxConnections;

	public ConnectionShare(JettyServerProperties jetty) {
		this.maxConnections = jetty.getMaxConnections();
	}

	/** Number of callers that a setting allows within the share. */
	public int bound(String setting, int configured) {
		// Zero or less is no bound
		if (maxConnections <= 0 || configured <= maxConnections / 2) {
			return configured;
		}
		int max = Math.max(1, maxConnections / 2);
		log.warn("{} is {} instead of {}: half of server.jetty.max-connections", setting, max, configured);
		return max;
	}

}
