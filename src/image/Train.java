import dev.comfygateway.simulator.Behaviour;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Training run for the AOT cache. The gateway handles requests of callers and operators with
 * the simulated Comfy Cloud, which responds and fails. The JVM writes the cache at exit.
 *
 * <p>
 * {@code java -cp target/simulator Train.java HOME SECONDS JAVA}: {@code HOME} contains
 * {@code comfy-gateway.jar} and {@code jvm.flags}, and {@code JAVA} runs the gateway.
 */
public class Train {

	private static final String PORT = "18082";

	private static final String MANAGEMENT_PORT = "18083";

	private static final Duration START = Duration.ofMinutes(2);

	private static final List<String> PATHS = List.of("/api/prompt", "/livez", "/readyz", "/none");

	private static final List<String> OPERATORS = List.of("/actuator/health", "/actuator/health/liveness",
			"/actuator/health/readiness", "/actuator/prometheus", "/actuator/info");

	private static final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

	public static void main(String[] args) throws Exception {
		Path home = Path.of(args[0]).toAbsolutePath();
		Path cache = home.resolve("comfy-gateway.aot");
		try (SimulatedComfyCloud upstream = SimulatedComfyCloud.start(0, "training-key")) {
			ProcessBuilder gateway = new ProcessBuilder(args[2], "-XX:Flags=" + home.resolve("jvm.flags"),
					"-XX:AOTCacheOutput=" + cache, "-jar", home.resolve("comfy-gateway.jar").toString()).inheritIO();
			gateway.environment()
				.putAll(Map.of("COMFY_API_KEY", "training-key", "COMFY_BASE_URL", upstream.baseUrl(), "SERVER_PORT", PORT,
						"MANAGEMENT_SERVER_PORT", MANAGEMENT_PORT, "GATEWAY_COOLDOWN", "100ms", "GATEWAY_MAX_COOLDOWN",
						"100ms"));
			Process process = gateway.start();
			awaitReady(process);
			exercise(upstream, System.nanoTime() + Duration.ofSeconds(Long.parseLong(args[1])).toNanos());
			process.toHandle().destroy();
			if (!process.waitFor(3, TimeUnit.MINUTES) || !Files.exists(cache)) {
				throw new IllegalStateException("The gateway left no AOT cache");
			}
		}
	}

	private static void awaitReady(Process process) throws Exception {
		for (long end = System.nanoTime() + START.toNanos(); System.nanoTime() < end && process.isAlive();) {
			try {
				if (get(PORT, "/readyz", "Accept", "*/*") == 200) {
					return;
				}
			}
			catch (java.io.IOException notYet) {
				Thread.sleep(50);
			}
		}
		throw new IllegalStateException("The gateway did not start");
	}

	private static void exercise(SimulatedComfyCloud upstream, long end) throws Exception {
		while (System.nanoTime() < end) {
			for (int i = 0; i < 500; i++) {
				get(PORT, "/api/prompt", "X-Request-Id", Integer.toString(i));
			}
			for (String path : PATHS) {
				get(PORT, path, "Cache-Control", "no-cache");
			}
			for (String path : OPERATORS) {
				get(MANAGEMENT_PORT, path, "Accept", "*/*");
			}
		}
		for (Behaviour behaviour : List.of(Behaviour.UNAVAILABLE, Behaviour.CLOSE, Behaviour.NORMAL)) {
			upstream.behave(behaviour);
			Thread.sleep(200);
			get(PORT, "/api/prompt", "Cache-Control", "no-cache");
			get(PORT, "/api/prompt", "Accept", "*/*");
		}
	}

	private static int get(String port, String path, String name, String value) throws Exception {
		HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
			.header(name, value)
			.build();
		return client.send(request, BodyHandlers.discarding()).statusCode();
	}

}
