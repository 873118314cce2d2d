package dev.comfygateway.fleet;

import dev.comfygateway.ComfyGatewayApplication;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.support.RunningGateway;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.support.GenericApplicationContext;
import tools.jackson.databind.json.JsonMapper;

/**
 * Gateways of one fleet in this process, with one simulated upstream. They run in real
 * time, like Redis, and their clocks differ by 10 s.
 */
final class Gateways implements AutoCloseable {

	private static final Duration CLOCKS_DIFFER_BY = Duration.ofSeconds(10);

	private static final JsonMapper json = new JsonMapper();

	final HttpClient caller = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

	final SimulatedComfyCloud upstream = SimulatedComfyCloud.start(0, RunningGateway.KEY);

	private final List<ConfigurableApplicationContext> contexts = new ArrayList<>();

	/**
	 * Starts gateways.
	 * @param settings settings of all gateways, such as
	 * {@code spring.data.redis.port=6379}
	 */
	static Gateways start(int count, String... settings) {
		Gateways gateways = new Gateways();
		IntStream.range(0, count).forEach(i -> gateways.add(i, count, settings));
		return gateways;
	}

	private void add(int number, int count, String... settings) {
		Duration offset = CLOCKS_DIFFER_BY.multipliedBy(number).dividedBy(Math.max(1, count - 1));
		ConfigurableApplicationContext context = new SpringApplicationBuilder(ComfyGatewayApplication.class)
			.initializers(created -> ((GenericApplicationContext) created).registerBean(InstantSource.class,
					() -> () -> Instant.now().plus(offset)))
			.run(arguments(settings));
		contexts.add(context);
	}

	/** Arguments of a gateway. The settings override the common ones. */
	private String[] arguments(String... settings) {
		Map<String, String> values = new LinkedHashMap<>(
				Map.of("server.port", "0", "management.server.port", "0", "comfy.base-url", upstream.baseUrl(),
						"comfy.api-key", RunningGateway.KEY, "gateway.fleet", "redis", "gateway.fresh-for", "1s"));
		for (String setting : settings) {
			String[] pair = setting.split("=", 2);
			values.put(pair[0], pair[1]);
		}
		return values.entrySet().stream().map(setting -> "--" + setting).toArray(String[]::new);
	}

	int count() {
		return contexts.size();
	}

	/** Number of requests that the upstream has received. */
	int fetches() {
		return upstream.received().size();
	}

	HttpRequest request(int gateway, String... headers) {
		HttpRequest.Builder request = HttpRequest
			.newBuilder(URI.create("http://127.0.0.1:%s/api/prompt".formatted(port(gateway, "local.server.port"))));
		return (headers.length == 0 ? request : request.headers(headers)).build();
	}

	HttpResponse<String> get(int gateway, String... headers) throws Exception {
		return caller.send(request(gateway, headers), BodyHandlers.ofString());
	}

	/** State of the fleet in the health of each gateway. */
	List<String> states() {
		return IntStream.range(0, count()).mapToObj(this::state).toList();
	}

	String state(int gateway) {
		return json.readTree(manage(gateway, "health")).at("/components/upstream/details/fleet").asString();
	}

	/** Returns the body of an actuator endpoint. */
	String manage(int gateway, String endpoint) {
		try {
			return caller.send(HttpRequest
				.newBuilder(URI.create(
						"http://127.0.0.1:%s/actuator/%s".formatted(port(gateway, "local.management.port"), endpoint)))
				.build(), BodyHandlers.ofString()).body();
		}
		catch (Exception e) {
			throw new IllegalStateException(e);
		}
	}

	private int port(int gateway, String property) {
		return Objects.requireNonNull(contexts.get(gateway).getEnvironment().getProperty(property, Integer.class));
	}

	@Override
	public void close() {
		contexts.parallelStream().forEach(ConfigurableApplicationContext::close);
		upstream.close();
		caller.close();
	}

}
