package dev.comfygateway.support;

import dev.comfygateway.ComfyGatewayApplication;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

import static org.assertj.core.api.Assertions.assertThat;

/** Gateway in a separate process, and its output. */
public final class GatewayProcess implements AutoCloseable {

	private static final int TIMEOUT_SECONDS = 60;

	private static final Pattern PORT = Pattern.compile("Jetty started on port (\\d+)");

	/** JVM options of a short-lived process. */
	private static final List<String> QUICK = List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC");

	private final Process process;

	private final StringBuffer output = new StringBuffer();

	private final List<Integer> ports = new ArrayList<>();

	private final Map<String, CompletableFuture<Void>> awaited = new ConcurrentHashMap<>();

	private final CompletableFuture<Void> ended = new CompletableFuture<>();

	private GatewayProcess(Process process) {
		this.process = process;
	}

	/**
	 * Starts a gateway on free ports.
	 * @param environment environment variables, in addition to those of this process that
	 * are not settings
	 * @param arguments command line arguments
	 */
	public static GatewayProcess start(Map<String, String> environment, String... arguments) throws IOException {
		return start(QUICK, environment, arguments);
	}

	/** Starts a gateway with the heap of the default container and both JIT compilers. */
	public static GatewayProcess startInSmallHeap(Map<String, String> environment, String... arguments)
			throws IOException {
		return start(List.of("-Xmx104m", "-Xmn12m", "-XX:+UseSerialGC", "-XX:MinHeapFreeRatio=10",
				"-XX:MaxHeapFreeRatio=20", "-XX:+ExitOnOutOfMemoryError"), environment, arguments);
	}

	/**
	 * Starts a gateway whose output is not read, or may lack lines. Use
	 * {@link #awaitAnswers()} to wait for its start.
	 */
	public static GatewayProcess startOnKnownPorts(boolean readsOutput, Map<String, String> environment,
			String... arguments) throws IOException {
		int port = freePort();
		int managementPort = freePort();
		GatewayProcess gateway = launch(QUICK, port, managementPort, environment, arguments);
		gateway.ports.addAll(List.of(port, managementPort));
		if (readsOutput) {
			Thread.ofVirtual().start(gateway::listen);
		}
		else {
			gateway.ended.complete(null);
		}
		return gateway;
	}

	private static int freePort() throws IOException {
		try (ServerSocket socket = new ServerSocket(0)) {
			return socket.getLocalPort();
		}
	}

	private static GatewayProcess start(List<String> jvmOptions, Map<String, String> environment, String... arguments)
			throws IOException {
		GatewayProcess gateway = launch(jvmOptions, 0, 0, environment, arguments);
		Thread.ofVirtual().start(gateway::listen);
		return gateway;
	}

	private static GatewayProcess launch(List<String> jvmOptions, int port, int managementPort,
			Map<String, String> environment, String... arguments) throws IOException {
		List<String> command = new ArrayList<>();
		command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
		command.addAll(jvmOptions);
		// The first process to exit archives its classes for the others if all are in
		// jars
		command.addAll(List.of("-XX:+AutoCreateSharedArchive", "-XX:SharedArchiveFile=target/gateways.jsa",
				"-Xlog:cds*=off,aot*=off", "-cp", classPath(), ComfyGatewayApplication.class.getName(),
				"--server.port=" + port, "--management.server.port=" + managementPort,
				// Logs that the gateway is ready
				"--logging.level.org.springframework.boot.availability=DEBUG"));
		command.addAll(List.of(arguments));
		ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
		builder.environment()
			.keySet()
			.removeIf(
					name -> name.matches("(COMFY|GATEWAY|SERVER|SPRING|MANAGEMENT|LOGGING|OTEL|JAVA_TOOL|JDK_JAVA).*"));
		builder.environment().putAll(environment);
		return new GatewayProcess(builder.start());
	}

	/** Class path without the tests, whose configuration the gateway would load. */
	private static String classPath() {
		return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
			.filter(entry -> !entry.contains("test-classes"))
			.collect(Collectors.joining(File.pathSeparator));
	}

	private void listen() {
		try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
			for (String line = lines.readLine(); line != null; line = lines.readLine()) {
				output.append(line).append('\n');
				for (Map.Entry<String, CompletableFuture<Void>> text : awaited.entrySet()) {
					if (line.contains(text.getKey())) {
						text.getValue().complete(null);
					}
				}
				Matcher port = PORT.matcher(line);
				if (port.find()) {
					ports.add(Integer.valueOf(port.group(1)));
				}
			}
		}
		catch (IOException e) {
			throw new UncheckedIOException(e);
		}
		finally {
			ended.complete(null);
		}
	}

	public GatewayProcess awaitStart() {
		awaitOutput("ReadinessState changed to ACCEPTING_TRAFFIC");
		return this;
	}

	/** Waits until the gateway responds on both ports, independent of its output. */
	public GatewayProcess awaitAnswers() {
		Awaitility.await()
			.atMost(TIMEOUT_SECONDS, TimeUnit.SECONDS)
			.ignoreExceptions()
			.until(() -> RawConnection.get(port(), "/livez").status() == 200
					&& RawConnection.get(managementPort(), "/actuator/health/liveness").status() == 200);
		return this;
	}

	/** Waits until the output contains the text. */
	public void awaitOutput(String text) {
		CompletableFuture<Void> written = awaited.computeIfAbsent(text, ignored -> new CompletableFuture<>());
		if (!output.toString().contains(text)) {
			CompletableFuture.anyOf(written, ended).orTimeout(TIMEOUT_SECONDS, TimeUnit.SECONDS).join();
			assertThat(output.toString()).contains(text);
		}
	}

	/** Waits for the exit, and returns the exit status. */
	public int awaitExit() throws InterruptedException {
		assertThat(process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)).as(output::toString).isTrue();
		ended.orTimeout(TIMEOUT_SECONDS, TimeUnit.SECONDS).join();
		return process.exitValue();
	}

	/** Sends SIGTERM. */
	public void terminate() {
		// Process.destroy() would also close its output
		process.toHandle().destroy();
	}

	public boolean isAlive() {
		return process.isAlive();
	}

	/** Number of open descriptors. */
	public long descriptors() throws IOException {
		try (Stream<Path> open = Files.list(Path.of("/proc", Long.toString(process.pid()), "fd"))) {
			return open.count();
		}
	}

	/** Thread dump, virtual threads included. */
	public String threadDump() throws IOException, InterruptedException {
		Path dump = Files.createTempFile("threads", ".txt");
		Process jcmd = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
				Long.toString(process.pid()), "Thread.dump_to_file", "-overwrite", dump.toString())
			.redirectErrorStream(true)
			.redirectOutput(ProcessBuilder.Redirect.DISCARD)
			.start();
		assertThat(jcmd.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)).isTrue();
		String threads = Files.readString(dump);
		Files.delete(dump);
		return threads;
	}

	public int port() {
		return ports.getFirst();
	}

	public int managementPort() {
		return ports.getLast();
	}

	public String output() {
		return output.toString();
	}

	@Override
	public void close() {
		process.destroyForcibly();
	}

}
