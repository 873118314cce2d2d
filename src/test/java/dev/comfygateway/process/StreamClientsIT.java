package dev.comfygateway.process;

import dev.comfygateway.simulator.Behaviour;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.TestGateway;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

/**
 * Tests of the documented stream clients, which are run unchanged except for the port.
 */
class StreamClientsIT {

	private static final String EVENTS = "/api/prompt/events";

	@TempDir
	private Path directory;

	private int port;

	private TestGateway gateway;

	@BeforeEach
	void start() throws IOException {
		try (ServerSocket free = new ServerSocket(0)) {
			port = free.getLocalPort();
		}
		gateway = start(3);
	}

	@AfterEach
	void stop() {
		gateway.close();
	}

	@ParameterizedTest
	@EnumSource
	void clientDuringAnOutageKeepsWaiting(Client client) throws Exception {
		Process process = client.run(directory, port);
		awaitListeners(1);
		gateway.upstream().behave(Behaviour.UNAVAILABLE);
		gateway.time().advance(Duration.ofSeconds(2));
		await().until(() -> RawConnection.get(gateway.managementPort(), "/actuator/health").body().contains("failing"));
		gateway.upstream().queueRemaining(0);
		gateway.upstream().behave(Behaviour.NORMAL);
		assertThat(process.isAlive()).isTrue();
		gateway.time().advance(Duration.ofSeconds(2));
		assertEnds(process);
	}

	@ParameterizedTest
	@EnumSource
	void clientWhenTheQueueIsEmptyEndsWithTheNextAnswer(Client client) throws Exception {
		gateway.upstream().queueRemaining(0);
		RawConnection.get(port, "/api/prompt");
		gateway.time().advance(Duration.ofMillis(1));
		Process process = client.run(directory, port);
		awaitListeners(1);
		// That answer was observed before the request
		assertThat(process.isAlive()).isTrue();
		gateway.time().advance(Duration.ofSeconds(2));
		assertEnds(process);
	}

	@ParameterizedTest
	@EnumSource(names = "CURL", mode = EnumSource.Mode.EXCLUDE)
	void clientDuringARestartKeepsWaiting(Client client) throws Exception {
		Process process = client.run(directory, port);
		awaitListeners(1);
		gateway.close();
		gateway = start(3);
		awaitListeners(1);
		assertThat(process.isAlive()).isTrue();
		gateway.upstream().queueRemaining(0);
		gateway.time().advance(Duration.ofSeconds(2));
		assertEnds(process);
	}

	private TestGateway start(long queueRemaining) {
		TestGateway started = TestGateway.start("server.port=" + port);
		started.upstream().queueRemaining(queueRemaining);
		return started;
	}

	private void awaitListeners(int count) {
		await().atMost(Duration.ofSeconds(30))
			.until(() -> RawConnection.get(gateway.managementPort(), "/actuator/metrics/comfy.gateway.events")
				.body()
				.contains("\"value\":" + count + ".0"));
	}

	private static void assertEnds(Process process) throws InterruptedException, IOException {
		assertThat(process.waitFor(30, TimeUnit.SECONDS)).as("the client has exited").isTrue();
		assertThat(process.exitValue()).as(new String(process.getErrorStream().readAllBytes())).isZero();
	}

	private enum Client {

		CURL("sh", "curl -sN[^\n]*until=0'", "%s", "bash", "sh"), PYTHON("python", ".*", "%s", "python3", "py"),
		JAVA("java", ".*", """
				import module java.base;
				import module java.net.http;
				import java.net.http.HttpResponse.BodyHandlers;

				void main() throws Exception {
					waitUntil(0);
				}

				%s""", Path.of(System.getProperty("java.home"), "bin", "java").toString(), "java");

		private final String language;

		private final Pattern part;

		private final String template;

		private final String command;

		private final String suffix;

		Client(String language, String part, String template, String command, String suffix) {
			this.language = language;
			this.part = Pattern.compile(part, Pattern.DOTALL);
			this.template = template;
			this.command = command;
			this.suffix = suffix;
		}

		Process run(Path directory, int port) throws IOException, InterruptedException {
			assumeThat(isInstalled()).as(command + " is installed").isTrue();
			String section = Files.readString(Path.of("src/docs/callers.md")).split("\n## Stream\n")[1]
				.split("\n## ")[0];
			Matcher block = Pattern.compile("```" + language + "\n(.*?)```", Pattern.DOTALL).matcher(section);
			assertThat(block.find()).as("a block in " + language).isTrue();
			Matcher code = part.matcher(block.group(1));
			assertThat(code.find()).isTrue();
			Path file = directory.resolve("Client." + suffix);
			Files.writeString(file, template.formatted(code.group().replace("localhost:8080", "localhost:" + port)));
			return new ProcessBuilder(List.of(command, file.toString()))
				.redirectOutput(directory.resolve("out").toFile())
				.start();
		}

		private boolean isInstalled() throws InterruptedException {
			try {
				return new ProcessBuilder(command, "--version").start().waitFor() == 0;
			}
			catch (IOException ignored) {
				return false;
			}
		}

	}

}
