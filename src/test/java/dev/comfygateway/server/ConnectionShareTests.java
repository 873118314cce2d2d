package dev.comfygateway.server;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

class ConnectionShareTests {

	@ParameterizedTest
	@CsvSource({ "5000, 10000, 5000", "20, 20, 10", "5000, 20, 10", "9, 20, 9", "5000, 1, 1", "5000, -1, 5000" })
	void boundIsTheSettingOrHalfOfTheConnections(int configured, int maxConnections, int expected) {
		assertThat(ConnectionShare.bound("gateway.max-waiting", configured, maxConnections)).isEqualTo(expected);
	}

}
