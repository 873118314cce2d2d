package dev.comfygateway.container;

import com.github.dockerjava.api.async.ResultCallback;
import com.github.dockerjava.api.command.InspectContainerResponse;
import com.github.dockerjava.api.command.InspectImageResponse;
import com.github.dockerjava.api.model.AccessMode;
import com.github.dockerjava.api.model.Bind;
import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.ContainerConfig;
import com.github.dockerjava.api.model.HealthCheck;
import com.github.dockerjava.api.model.Volume;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RawConnection.Response;
import dev.comfygateway.support.SecretVolume;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.http.MediaType;
import org.springframework.web.client.RestClient;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.Network;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.images.builder.ImageFromDockerfile;
import org.testcontainers.junit.jupiter.Container;
import org.testcontainers.junit.jupiter.Testcontainers;
import org.testcontainers.utility.LazyFuture;
import org.testcontainers.utility.ThrowingFunction;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

/**
 * Tests of the image, run with the restrictions of a hardened cluster and with an
 * upstream in another container.
 */
@Testcontainers(disabledWithoutDocker = true)
@Timeout(value = 15, unit = TimeUnit.MINUTES)
@Order(ContainerIT.LAST)
class ContainerIT {

	/** The worker that starts the others begins with the last class. */
	static final int LAST = Integer.MAX_VALUE;

	private static final String OLD_KEY = "key-of-the-old-account";

	private static final String NEW_KEY = "key-of-the-new-account";

	private static final int OLD_QUEUE = 111;

	private static final int NEW_QUEUE = 222;

	private static final String MOUNT = "/etc/comfy-gateway/key";

	private static final String ARBITRARY_USER = "12345:54321";

	private static final long MEMORY = 256L << 20;

	/** Exit status of the JVM after SIGTERM. */
	private static final long TERMINATED = 128 + 15;

	private static final Pattern IN_FLIGHT = Pattern
		.compile("(?m)^http_client_requests_active_seconds_count\\{[^}]*} 1(\\.0)?$");

	@TempDir
	private static Path volume;

	/**
	 * File for the id of an image that is built while other tests run; empty if these
	 * tests build it.
	 */
	private static final String ID_FILE = System.getProperty("image.id-file", "");

	private static final Duration BUILD_TIMEOUT = Duration.ofMinutes(10);

	/** Each check starts a JVM. */
	private static final Duration HEALTH_CHECK_INTERVAL = Duration.ofSeconds(5);

	private static final Future<String> IMAGE = ID_FILE.isEmpty() ? build() : awaitId();

	private static final Network NETWORK = Network.newNetwork();

	@Container
	private static final GenericContainer<?> UPSTREAM = new GenericContainer<>("wiremock/wiremock:3.13.2")
		.withNetwork(NETWORK)
		.withNetworkAliases("upstream")
		.withExposedPorts(8080)
		.waitingFor(Wait.forHttp("/__admin/mappings"));

	private static final GenericContainer<?> GATEWAY = gateway();

	private static ImageFromDockerfile build() {
		// Kept, so the next run builds only the changed layers
		ImageFromDockerfile image = new ImageFromDockerfile("comfy-gateway-under-test", false);
		for (String part : List.of("Dockerfile", ".mvn", ".git", "mvnw", "pom.xml", "src")) {
			Path path = Path.of(part);
			// In a git worktree it is a file that refers to another directory
			if (!part.equals(".git") || Files.isDirectory(path)) {
				image.withFileFromPath(part, path);
			}
		}
		return image;
	}

	/** Returns the id after the end of the build. A failed build writes no id. */
	private static Future<String> awaitId() {
		return new LazyFuture<>() {
			@Override
			protected String resolve() {
				Path file = Path.of(ID_FILE);
				Awaitility.await("build of the image").atMost(BUILD_TIMEOUT).until(() -> Files.exists(file));
				try {
					String id = Files.readString(file).strip();
					assertThat(id).as("id of the image").startsWith("sha256:");
					return id;
				}
				catch (IOException e) {
					throw new UncheckedIOException(e);
				}
			}
		};
	}

	private static GenericContainer<?> gateway() {
		return new GenericContainer<>(IMAGE).withNetwork(NETWORK)
			.withEnv("COMFY_BASE_URL", "http://upstream:8080")
			.withEnv("COMFY_ALLOW_INSECURE", "true")
			.withEnv("COMFY_API_KEY_FILE", MOUNT + "/" + SecretVolume.ENTRY)
			.withExposedPorts(8080, 8081)
			.withCreateContainerCmdModifier(command -> {
				command.withUser(ARBITRARY_USER)
					.withHealthcheck(new HealthCheck().withInterval(HEALTH_CHECK_INTERVAL.toNanos()));
				Objects.requireNonNull(command.getHostConfig())
					.withReadonlyRootfs(true)
					.withCapDrop(Capability.ALL)
					.withSecurityOpts(List.of("no-new-privileges"))
					.withMemory(MEMORY)
					.withMemorySwap(MEMORY)
					.withBinds(new Bind(volume.toString(), new Volume(MOUNT), AccessMode.ro));
			})
			.waitingFor(Wait.forHttp("/readyz").forPort(8080));
	}

	private static SecretVolume secret() {
		return new SecretVolume(volume);
	}

	@BeforeAll
	static void start() throws IOException {
		Files.setPosixFilePermissions(volume, PosixFilePermissions.fromString("rwxr-xr-x"));
		secret().write(OLD_KEY);
		GATEWAY.start();
	}

	@AfterAll
	static void stop() {
		GATEWAY.stop();
		NETWORK.close();
	}

	@BeforeEach
	void begin() throws IOException {
		admin().delete().uri("/mappings").retrieve().toBodilessEntity();
		admin().delete().uri("/requests").retrieve().toBodilessEntity();
		stubUpstream(Map.of("urlPath", "/api/prompt"), Map.of("status", 401));
		stubUpstreamAnswer(OLD_KEY, OLD_QUEUE, 0);
		stubUpstreamAnswer(NEW_KEY, NEW_QUEUE, 0);
		secret().write(OLD_KEY);
		await(() -> requestPrompt(GATEWAY).body().contains(":" + OLD_QUEUE));
	}

	@Test
	void callerWithoutAKeyGetsAnAnswer() {
		Response response = requestPrompt(GATEWAY, "Cache-Control: no-cache", "X-API-Key: key-of-the-caller",
				"Authorization: key-of-the-caller");
		assertThat(response.status()).isEqualTo(200);
		assertThat(response.body()).isEqualTo("{\"exec_info\":{\"queue_remaining\":111}}");
		JsonNode requests = json(Objects.requireNonNull(admin().get().uri("/requests").retrieve().body(String.class)))
			.get("requests");
		assertThat(requests.valueStream().map(request -> request.at("/request/headers/X-API-Key").asString()))
			.isNotEmpty()
			.containsOnly(OLD_KEY);
		assertThat(requests.toString()).doesNotContain("key-of-the-caller");
	}

	@Test
	void keyIsReplacedWithoutARestart() throws IOException {
		secret().write(NEW_KEY);
		await(() -> requestPrompt(GATEWAY).body().contains(":" + NEW_QUEUE));
		assertThat(state(GATEWAY).getState().getRunning()).isTrue();
	}

	@Test
	void thousandCallersFitInTheMemoryLimit() throws IOException {
		List<RawConnection> callers = new ArrayList<>();
		try {
			for (int i = 0; i < 1000; i++) {
				callers.add(new RawConnection(GATEWAY.getMappedPort(8080)));
			}
			for (int round = 0; round < 10; round++) {
				for (RawConnection caller : callers) {
					assertThat(caller.send(RawConnection.request("GET", "/api/prompt")).read().status()).isEqualTo(200);
				}
			}
		}
		finally {
			for (RawConnection caller : callers) {
				caller.close();
			}
		}
		await(() -> "healthy".equals(state(GATEWAY).getState().getHealth().getStatus()));
		assertThat(state(GATEWAY).getState().getOOMKilled()).isFalse();
	}

	/**
	 * The number of connections is limited by the engine's proxy, which opens six files
	 * for each one.
	 */
	@Test
	void crowdsFitInTheMemoryLimit() throws IOException {
		List<RawConnection> others = new ArrayList<>();
		try (GenericContainer<?> gateway = gateway().withEnv("COMFY_DEADLINE", "20s")
			.withEnv("GATEWAY_MAX_WAITING", "500")
			.withEnv("GATEWAY_REFRESH_FLOOR", "0s")) {
			gateway.start();
			for (int i = 0; i < 750; i++) {
				RawConnection idle = new RawConnection(gateway.getMappedPort(8080));
				others.add(idle);
				assertThat(idle.send(RawConnection.request("GET", "/livez")).read().status()).isEqualTo(200);
			}
			for (int i = 0; i < 250; i++) {
				others.add(new RawConnection(gateway.getMappedPort(8080)).send("GET /api/prompt HTTP/1.1\r\nHost: lo"));
			}
			stubUpstreamAnswer(OLD_KEY, OLD_QUEUE, 5000);
			assertThat(crowd(gateway, 500)).containsOnly(200);
			assertThat(crowd(gateway, 1_000, "Cache-Control: no-cache")).contains(200, 503).containsOnly(200, 503);
			assertThat(crowd(gateway, 500)).containsOnly(200);
			assertThat(state(gateway).getState().getRunning()).isTrue();
		}
		finally {
			for (RawConnection other : others) {
				other.close();
			}
		}
	}

	/** Statuses of concurrent callers that all send before any of them reads. */
	private static List<Integer> crowd(GenericContainer<?> gateway, int count, String... headers) throws IOException {
		List<RawConnection> callers = new ArrayList<>();
		try {
			for (int i = 0; i < count; i++) {
				callers.add(new RawConnection(gateway.getMappedPort(8080)));
			}
			for (RawConnection caller : callers) {
				caller.send(RawConnection.request("GET", "/api/prompt", headers));
			}
			List<Integer> statuses = new ArrayList<>();
			for (RawConnection caller : callers) {
				statuses.add(caller.read().status());
			}
			return statuses;
		}
		finally {
			for (RawConnection caller : callers) {
				caller.close();
			}
		}
	}

	@Test
	void healthCheckWhenThePortIsClosedFails() throws Exception {
		List<String> command = Objects.requireNonNull(config().getHealthcheck()).getTest();
		assertThat(command.getFirst()).isEqualTo("CMD");
		String[] check = command.subList(1, command.size()).toArray(String[]::new);
		assertThat(GATEWAY.execInContainer(check).getExitCode()).isZero();
		String id = GATEWAY.getDockerClient()
			.execCreateCmd(GATEWAY.getContainerId())
			.withEnv(List.of("SERVER_PORT=9"))
			.withCmd(check)
			.withAttachStdout(true)
			.exec()
			.getId();
		GATEWAY.getDockerClient().execStartCmd(id).exec(new ResultCallback.Adapter<>()).awaitCompletion();
		assertThat(GATEWAY.getDockerClient().inspectExecCmd(id).exec().getExitCodeLong()).isEqualTo(1);
	}

	@Test
	void requestsInFlightAreCompletedBeforeShutdown() throws Exception {
		try (GenericContainer<?> gateway = gateway().withEnv("COMFY_DEADLINE", "20s")) {
			gateway.start();
			stubUpstreamAnswer(OLD_KEY, OLD_QUEUE, 3000);
			List<RawConnection> callers = new ArrayList<>();
			try {
				for (int i = 0; i < 50; i++) {
					callers.add(new RawConnection(gateway.getMappedPort(8080))
						.send(RawConnection.request("GET", "/api/prompt")));
				}
				// A later request is answered, so the server has read all requests
				await(() -> requestPrompt(gateway, "Cache-Control: only-if-cached").status() == 504
						&& IN_FLIGHT.matcher(metrics(gateway)).find());
				CompletableFuture<Void> end = CompletableFuture.runAsync(() -> gateway.getDockerClient()
					.stopContainerCmd(gateway.getContainerId())
					.withTimeout(30)
					.exec());
				for (RawConnection caller : callers) {
					assertThat(caller.read().body()).isEqualTo("{\"exec_info\":{\"queue_remaining\":111}}");
				}
				end.get();
			}
			finally {
				for (RawConnection caller : callers) {
					caller.close();
				}
			}
			assertThat(state(gateway).getState().getExitCodeLong()).isEqualTo(TERMINATED);
			assertThat(gateway.getLogs()).contains("Graceful shutdown complete").doesNotContain("ERROR");
		}
	}

	/** An AOT cache that does not match the image would otherwise go undetected. */
	@Test
	void cacheTimeZonesAndAccessLogAreUsed() throws Exception {
		assertThat(file("/usr/share/zoneinfo/Asia/Tokyo", InputStream::readAllBytes)).startsWith('T', 'Z', 'i', 'f');
		try (GenericContainer<?> gateway = gateway().withEnv("JAVA_TOOL_OPTIONS", "-XX:AOTMode=on")
			.withEnv("TZ", "Asia/Tokyo")
			.withEnv("SERVER_JETTY_ACCESSLOG_ENABLED", "true")) {
			gateway.start();
			assertThat(requestPrompt(gateway).status()).isEqualTo(200);
			await(() -> gateway.getLogs().contains("\"GET /api/prompt\" 200"));
			assertThat(gateway.getLogs()).contains("+09:00");
		}
	}

	@Test
	void operatorOptionsTakePrecedenceAndUnknownHostIsReported() {
		assertThat(requestPrompt(GATEWAY).status()).as("http://upstream:8080").isEqualTo(200);
		try (GenericContainer<?> gateway = gateway().withEnv("JAVA_TOOL_OPTIONS", "-XX:+UseG1GC -Xmx64m")
			.withEnv("COMFY_BASE_URL", "http://nowhere.invalid")) {
			gateway.start();
			assertThat(requestPrompt(gateway).header("Proxy-Status"))
				.hasValueSatisfying(status -> assertThat(status).contains("error=dns_error"));
			assertThat(metrics(gateway)).contains("G1 ");
		}
	}

	@Test
	void gatewaysWithRedisFormAFleet() {
		try (GenericContainer<?> redis = new GenericContainer<>("redis:7-bookworm").withNetwork(NETWORK)
			.withNetworkAliases("redis")
			.withExposedPorts(6379); GenericContainer<?> one = inFleet(); GenericContainer<?> other = inFleet()) {
			redis.start();
			one.start();
			other.start();
			await(() -> isInFleet(one) && isInFleet(other));
			assertThat(requestPrompt(one).status()).isEqualTo(200);
			Response shared = requestPrompt(other);
			assertThat(shared.status()).isEqualTo(200);
			assertThat(shared.header("Cache-Status").orElseThrow()).containsAnyOf("hit; ttl=", "detail=fleet");
			assertThat(one.getLogs() + other.getLogs()).doesNotContain("ERROR");
		}
	}

	private static boolean isInFleet(GenericContainer<?> gateway) {
		return metrics(gateway).contains("comfy_gateway_fleet_up 1.0\n");
	}

	private static GenericContainer<?> inFleet() {
		return gateway().withEnv("GATEWAY_FLEET", "redis")
			.withEnv("GATEWAY_FRESH_FOR", "5m")
			.withEnv("SPRING_DATA_REDIS_HOST", "redis");
	}

	@Test
	void keyIsOnlyInItsFile() throws IOException {
		// With a rejected key, the gateway logs everything that it reports about the key
		secret().write("key-that-is-refused");
		await(() -> requestPrompt(GATEWAY, "Cache-Control: no-cache").status() == 401);
		String reported = GATEWAY.getLogs() + JsonMapper.shared().writeValueAsString(state(GATEWAY))
				+ JsonMapper.shared().writeValueAsString(image());
		assertThat(reported).contains("COMFY_API_KEY_FILE")
			.doesNotContain(OLD_KEY, NEW_KEY, "key-that-is-refused", "COMFY_API_KEY=");
		assertThat(history()).isNotEmpty()
			.noneMatch(step -> step.contains("API_KEY") || step.contains(OLD_KEY) || step.contains(NEW_KEY));
	}

	@ParameterizedTest
	@ValueSource(strings = { "sh", "/bin/sh", "bash", "busybox", "apt-get", "dpkg", "perl", "curl" })
	void imageContainsNoToolFor(String command) throws Exception {
		// The error message of the engine if the file does not exist
		assertThat(GATEWAY.execInContainer(command, "-c", "true").getExitCode()).isIn(126, 127);
	}

	@Test
	void imageTrustsCertificateAuthorities() throws Exception {
		KeyStore trusted = file("/opt/jre/lib/security/cacerts", in -> {
			KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
			store.load(in, null);
			return store;
		});
		assertThat(trusted.size()).isGreaterThan(50);
		Collection<?> ofTheSystem = file("/etc/ssl/certs/ca-certificates.crt",
				in -> CertificateFactory.getInstance("X.509").generateCertificates(in));
		assertThat(ofTheSystem).hasSizeGreaterThan(50);
	}

	@Test
	void imageListsItsPackagesForScanners() throws Exception {
		assertThat(text("/etc/os-release")).contains("ID=debian");
		assertThat(text("/var/lib/dpkg/status.d/libc6")).startsWith("Package: libc6\n").contains("\nVersion: ");
	}

	@Test
	void imageContainsUserNames() throws Exception {
		assertThat(text("/etc/passwd")).contains("nonroot:x:65532:65532:");
		assertThat(text("/etc/group")).contains("nonroot:x:65532:");
	}

	@Test
	void imageRunsAsAnUnprivilegedUserWithoutAShell() {
		ContainerConfig config = config();
		assertThat(config.getUser()).isEqualTo("65532:65532");
		assertThat(config.getEntrypoint()).startsWith("/opt/jre/bin/java").noneMatch(word -> word.contains("sh -c"));
		assertThat(config.getCmd()).isNull();
		assertThat(config.getExposedPorts()).extracting(Object::toString)
			.containsExactlyInAnyOrder("8080/tcp", "8081/tcp");
		assertThat(config.getLabels()).containsKeys("org.opencontainers.image.title",
				"org.opencontainers.image.revision");
	}

	@Test
	void imageHasAVersionLabel() throws IOException {
		JsonNode info = json(RawConnection.get(GATEWAY.getMappedPort(8081), "/actuator/info").body());
		assertThat(config().getLabels()).containsEntry("org.opencontainers.image.version",
				info.at("/build/version").asString());
	}

	@Test
	void imageContainsItsCommit() throws Exception {
		assumeThat(Path.of(".git")).as("A repository").isDirectory();
		Process git = new ProcessBuilder("git", "rev-parse", "HEAD").start();
		String commit = new String(git.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).strip();
		JsonNode info = json(RawConnection.get(GATEWAY.getMappedPort(8081), "/actuator/info").body());
		assertThat(info.at("/git/commit/id/full").asString()).isEqualTo(commit);
	}

	private static <T> T file(String path, ThrowingFunction<InputStream, T> reader) throws Exception {
		return GATEWAY.copyFileFromContainer(path, reader);
	}

	private static String text(String path) throws Exception {
		return new String(file(path, InputStream::readAllBytes), StandardCharsets.UTF_8);
	}

	private static Response requestPrompt(GenericContainer<?> gateway, String... headers) {
		try {
			return RawConnection.get(gateway.getMappedPort(8080), "/api/prompt", headers);
		}
		catch (IOException e) {
			throw new AssertionError(e);
		}
	}

	private static String metrics(GenericContainer<?> gateway) {
		try {
			return RawConnection.get(gateway.getMappedPort(8081), "/actuator/prometheus").body();
		}
		catch (IOException e) {
			throw new AssertionError(e);
		}
	}

	private static void stubUpstreamAnswer(String key, int queue, int delayMillis) {
		stubUpstream(
				Map.of("method", "GET", "urlPath", "/api/prompt", "headers",
						Map.of("X-API-Key", Map.of("equalTo", key))),
				Map.of("headers", Map.of("Content-Type", "application/json"), "jsonBody",
						Map.of("exec_info", Map.of("queue_remaining", queue)), "fixedDelayMilliseconds", delayMillis));
	}

	/** Of all stubs that match a request, the last one added applies. */
	private static void stubUpstream(Map<String, Object> request, Map<String, Object> response) {
		admin().post()
			.uri("/mappings")
			.contentType(MediaType.APPLICATION_JSON)
			.body(JsonMapper.shared().writeValueAsString(Map.of("request", request, "response", response)))
			.retrieve()
			.toBodilessEntity();
	}

	private static RestClient admin() {
		return RestClient.create("http://%s:%s/__admin".formatted(UPSTREAM.getHost(), UPSTREAM.getMappedPort(8080)));
	}

	private static InspectContainerResponse state(GenericContainer<?> container) {
		return container.getDockerClient().inspectContainerCmd(container.getContainerId()).exec();
	}

	private static InspectImageResponse image() {
		return GATEWAY.getDockerClient().inspectImageCmd(GATEWAY.getDockerImageName()).exec();
	}

	private static ContainerConfig config() {
		return Objects.requireNonNull(image().getConfig());
	}

	/** Build steps in the history of the image. */
	private static List<String> history() throws IOException {
		List<String> steps = new ArrayList<>();
		try (InputStream image = GATEWAY.getDockerClient().saveImageCmd(GATEWAY.getDockerImageName()).exec();
				TarArchiveInputStream files = new TarArchiveInputStream(image)) {
			for (TarArchiveEntry file = files.getNextEntry(); file != null; file = files.getNextEntry()) {
				if (file.isFile() && file.getSize() < 64 * 1024) {
					String text = new String(files.readAllBytes(), StandardCharsets.UTF_8);
					if (text.startsWith("{\"")) {
						json(text).path("history").valueStream().map(JsonNode::toString).forEach(steps::add);
					}
				}
			}
		}
		return steps;
	}

	private static JsonNode json(String text) {
		return JsonMapper.shared().readTree(text);
	}

	private static void await(BooleanSupplier condition) {
		Awaitility.await().atMost(30, TimeUnit.SECONDS).until(condition::getAsBoolean);
	}

}
