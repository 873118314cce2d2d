package dev.comfygateway.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.observation.ObservationRegistry;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.util.Promise;
import org.eclipse.jetty.util.SocketAddressResolver;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.support.StaticListableBeanFactory;
import org.springframework.boot.http.client.HttpClientSettings;
import org.springframework.boot.info.BuildProperties;
import org.springframework.web.reactive.function.client.WebClient;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/** {@link ComfyCloudClient} with its actual collaborators, for tests. */
final class ClientFixture implements AutoCloseable {

	static final String KEY = "comfyui-0123456789abcdef";

	static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");

	static final Duration DEADLINE = Duration.ofSeconds(10);

	final SimpleMeterRegistry meters = new SimpleMeterRegistry();

	final ComfyCloudClient client;

	final ApiKeySource keySource;

	final HttpClient httpClient;

	private ClientFixture(ComfyProperties properties, HttpClientSettings settings, Scheduler scheduler) {
		this(WebClient.builder(), properties, settings, scheduler);
	}

	private ClientFixture(WebClient.Builder builder, ComfyProperties properties, HttpClientSettings settings,
			Scheduler scheduler) {
		Properties version = new Properties();
		version.setProperty("version", "1.2.3");
		StaticListableBeanFactory beans = new StaticListableBeanFactory(Map.of("build", new BuildProperties(version)));
		this.keySource = new ApiKeySource(properties);
		this.httpClient = UpstreamHttpClientFactory.create(settings, properties);
		httpClient.setSocketAddressResolver(new LocalNames(httpClient.getSocketAddressResolver()));
		try {
			httpClient.start();
		}
		catch (Exception e) {
			throw new IllegalStateException(e);
		}
		new UpstreamConfiguration().userAgent(beans.getBeanProvider(BuildProperties.class)).customize(builder);
		this.client = new ComfyCloudClient(builder, httpClient, properties, keySource,
				new Deadline(properties, scheduler, ObservationRegistry.NOOP),
				new ResponseReader(InstantSource.fixed(NOW)), new AttemptTimers(meters));
	}

	static ClientFixture of(String baseUrl) {
		return of(baseUrl, HttpClientSettings.defaults());
	}

	static ClientFixture of(String baseUrl, HttpClientSettings settings) {
		return new ClientFixture(properties(KEY, null, baseUrl, ComfyProperties.Auth.API_KEY), settings,
				Schedulers.parallel());
	}

	static ClientFixture of(String baseUrl, Scheduler scheduler) {
		return new ClientFixture(properties(KEY, null, baseUrl, ComfyProperties.Auth.API_KEY),
				HttpClientSettings.defaults(), scheduler);
	}

	static ClientFixture of(WebClient.Builder builder, Scheduler scheduler) {
		return new ClientFixture(builder, properties(KEY, null, "http://localhost", ComfyProperties.Auth.API_KEY),
				HttpClientSettings.defaults(), scheduler);
	}

	static ClientFixture of(ComfyProperties properties, Scheduler scheduler) {
		return new ClientFixture(properties, HttpClientSettings.defaults(), scheduler);
	}

	/** Returns a client with a deadline of 200 ms in real time. */
	static ClientFixture withShortDeadline(String baseUrl) {
		return withShortDeadline(baseUrl, HttpClientSettings.defaults());
	}

	static ClientFixture withShortDeadline(String baseUrl, HttpClientSettings settings) {
		return new ClientFixture(shortDeadlineProperties(baseUrl), settings, Schedulers.parallel());
	}

	/**
	 * As {@link #withShortDeadline(String)}, with a builder to which a test adds filters.
	 */
	static ClientFixture withShortDeadline(String baseUrl, WebClient.Builder builder) {
		return new ClientFixture(builder, shortDeadlineProperties(baseUrl), HttpClientSettings.defaults(),
				Schedulers.parallel());
	}

	private static ComfyProperties shortDeadlineProperties(String baseUrl) {
		return new ComfyProperties(KEY, null, baseUrl, ComfyProperties.Auth.API_KEY, true, Duration.ofMillis(100),
				Duration.ofMillis(200));
	}

	static ClientFixture withoutAuthentication(String baseUrl) {
		return of(properties(KEY, null, baseUrl, ComfyProperties.Auth.NONE), Schedulers.parallel());
	}

	static ClientFixture withKeyFile(String baseUrl, Path keyFile) {
		return withKeyFile(baseUrl, keyFile, Schedulers.parallel());
	}

	static ClientFixture withKeyFile(String baseUrl, Path keyFile, Scheduler scheduler) {
		return of(properties(null, keyFile, baseUrl, ComfyProperties.Auth.API_KEY), scheduler);
	}

	private static ComfyProperties properties(@Nullable String key, @Nullable Path keyFile, String baseUrl,
			ComfyProperties.Auth auth) {
		return new ComfyProperties(key, keyFile, baseUrl, auth, false, Duration.ofSeconds(5), DEADLINE);
	}

	/** Resolves host names of a container network to the loopback address. */
	private record LocalNames(SocketAddressResolver others) implements SocketAddressResolver {

		private static final Set<String> NAMES = Set.of("comfy_ui", "_comfy", "comfy.2", "comfy-", "xn--kmfy-5qa",
				"squid_proxy", "ui.example.com", "my_ui.example.com");

		@Override
		public void resolve(String host, int port, Map<String, Object> context,
				Promise<List<InetSocketAddress>> promise) {
			if (!NAMES.contains(host)) {
				others.resolve(host, port, context, promise);
				return;
			}
			try {
				byte[] loopback = InetAddress.getByName("127.0.0.1").getAddress();
				promise.succeeded(List.of(new InetSocketAddress(InetAddress.getByAddress(host, loopback), port)));
			}
			catch (UnknownHostException e) {
				promise.failed(e);
			}
		}

	}

	/** Stops the client, with its connections and threads. */
	@Override
	public void close() {
		try {
			httpClient.stop();
		}
		catch (Exception e) {
			throw new IllegalStateException(e);
		}
	}

	UpstreamOutcome fetch() {
		return outcome(start());
	}

	/** Fetches and returns the failure. A successful fetch fails the test. */
	UpstreamFailure failure() {
		return failure(start());
	}

	CompletableFuture<UpstreamOutcome> start() {
		return client.fetch();
	}

	static UpstreamOutcome outcome(CompletableFuture<UpstreamOutcome> started) {
		assertThat(started).succeedsWithin(Duration.ofSeconds(20));
		return started.join();
	}

	static UpstreamFailure failure(CompletableFuture<UpstreamOutcome> started) {
		UpstreamOutcome outcome = outcome(started);
		assertThat(outcome).isInstanceOf(UpstreamFailure.class);
		return (UpstreamFailure) outcome;
	}

	/** Returns the number of attempts so far, by outcome. */
	Map<String, Long> attempts() {
		return meters.find("comfy.gateway.upstream.requests")
			.timers()
			.stream()
			.filter(timer -> timer.count() > 0)
			.collect(Collectors.toMap(timer -> Objects.requireNonNull(timer.getId().getTag("outcome")), Timer::count));
	}

}
