package dev.comfygateway.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.comfygateway.simulator.Behaviour;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * The JDK's own retry, which the client switches off for the whole JVM. A JVM of its own
 * shows it: in this one the switch is set already, and the JDK may have read it.
 */
class HiddenRetryTests {

	@Test
	void fetchWhenClosedWithoutAnswerConnectsExactlyTwice() throws Exception {
		try (SimulatedComfyCloud upstream = SimulatedComfyCloud.start(0, ClientFixture.KEY)) {
			upstream.behave(Behaviour.CLOSE);
			Process fetch = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
					"-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"), Fetch.class.getName(),
					upstream.baseUrl())
				.redirectErrorStream(true)
				.start();
			String output = new String(fetch.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
			assertThat(fetch.waitFor(1, TimeUnit.MINUTES)).isTrue();
			assertThat(output).contains("CONNECTION_TERMINATED");
			assertThat(upstream.connections()).isEqualTo(2);
			assertThat(upstream.received()).hasSize(2);
		}
	}

	/** One fetch, in a JVM where nothing used the JDK's client before. */
	static final class Fetch {

		private Fetch() {
		}

		public static void main(String[] args) {
			System.out.println(ClientFixture.of(args[0]).failure());
			System.exit(0);
		}

	}

}
