package dev.comfygateway.server;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.jetty.autoconfigure.JettyServerProperties;

import static org.assertj.core.api.Assertions.assertThat;

class ConnectionShareTests {

	@ParameterizedTest
	@CsvSource({ "5000, 10000, 5000", "20, 20, 10", "5000, 20, 10", "9, 20, 9", "5000, 1, 1", "5000, -1, 5000" })
	void boundIsTheSettingOrHalfOfTheConnections(int configured, int maxConnections, int expected) {
		JettyServerProperties jetty = new JettyServerProperties();
		jetty.setMaxConnections(maxConnections);
		assertThat(new ConnectionShare(jetty).bound("gateway.max-waiting", configured)).isEqualTo(expected);
	}

}
