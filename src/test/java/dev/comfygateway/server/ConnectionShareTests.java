package dev.comfygateway.server;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.jetty.autoconfigure.JettyServerProperties;

import static org.assertj.core.api.Assertions.assertThat;

class ConnectionShareTests {

	@ParameterizedTest
	@CsvSource({ "5000, 10000, 5000, 4000", "20, 20, 10, 8", "9, 20, 9, 8", "5000, 1, 1, 1", "5000, -1, 5000, 5000" })
	void limitsAreTheSettingsOrLeaveConnectionsForOthers(int configured, int maxConnections, int listeners,
			int waiting) {
		JettyServerProperties jetty = new JettyServerProperties();
		jetty.setMaxConnections(maxConnections);
		ConnectionShare share = new ConnectionShare(jetty);
		assertThat(share.maxListeners(configured)).isEqualTo(listeners);
		assertThat(share.maxWaiting(configured)).isEqualTo(waiting);
	}

}
