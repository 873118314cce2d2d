package dev.comfygateway.support;

import dev.comfygateway.ComfyGatewayApplication;
import dev.comfygateway.cache.ListenerRefresh;
import dev.comfygateway.cache.PromptCache;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.util.thread.Invocable;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.jetty.JettyWebServer;
import org.springframework.boot.web.server.context.WebServerApplicationContext;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/**
 * Gateway of a single test, with a simulated upstream and a fake clock.
 */
public final class TestGateway implements AutoCloseable {

	private final ConfigurableApplicationContext context;

	private TestGateway(ConfigurableApplicationContext context) {
		this.context = context;
	}

	/** Starts a gateway with settings such as {@code gateway.fresh-for=5s}. */
	public static TestGateway start(String... settings) {
		return start(new SpringApplicationBuilder(), settings);
	}

	/** Starts a gateway without the accelerator. */
	public static TestGateway startWithoutAccelerator(String... settings) {
		return start(
				new SpringApplicationBuilder().initializers(
						context -> context.addBeanFactoryPostProcessor(GatewaySurroundings::removeAccelerator)),
				settings);
	}

	private static TestGateway start(SpringApplicationBuilder application, String... settings) {
		Map<String, String> values = new LinkedHashMap<>(Map.of("server.port", "0", "management.server.port", "0",
				"comfy.api-key", RunningGateway.KEY, "comfy.deadline", "60s"));
		for (String setting : settings) {
			String[] pair = setting.split("=", 2);
			values.put(pair[0], pair[1]);
		}
		return new TestGateway(application.sources(GatewaySurroundings.class, ComfyGatewayApplication.class)
			.initializers(new GatewaySurroundings.UpstreamInitializer())
			.run(values.entrySet().stream().map(setting -> "--" + setting).toArray(String[]::new)));
	}

	public int port() {
		return port("local.server.port");
	}

	public int managementPort() {
		return port("local.management.port");
	}

	private int port(String property) {
		return Objects.requireNonNull(context.getEnvironment().getProperty(property, Integer.class));
	}

	public FakeTime time() {
		return context.getBean(FakeTime.class);
	}

	/**
	 * Advances the time in steps, with a request in each step: writes to listeners take
	 * real time, and must not appear stalled.
	 */
	public void advance(Duration time) {
		try {
			for (Duration left = time; left.isPositive(); left = left.minusSeconds(1)) {
				time().advance(left.compareTo(Duration.ofSeconds(1)) < 0 ? left : Duration.ofSeconds(1));
				RawConnection.get(managementPort(), "/actuator/health/liveness");
			}
		}
		catch (IOException e) {
			throw new UncheckedIOException(e);
		}
	}

	public SimulatedComfyCloud upstream() {
		return context.getBean(SimulatedComfyCloud.class);
	}

	public PromptCache cache() {
		return context.getBean(PromptCache.class);
	}

	public ListenerRefresh refresh() {
		return context.getBean(ListenerRefresh.class);
	}

	public WaitingCallers callers() {
		return context.getBean(WaitingCallers.class);
	}

	/** Class names of the handlers of the callers' port, in order. */
	public List<String> handlers() {
		Handler first = server().getHandler();
		List<String> names = new ArrayList<>();
		for (Handler handler = first; handler instanceof Handler.Singleton singleton; handler = singleton
			.getHandler()) {
			names.add(handler.getClass().getSimpleName());
		}
		return names;
	}

	/** Returns whether Jetty runs the handlers of the callers' port on its selectors. */
	public boolean runsHandlersOnSelectors() {
		return server().getInvocationType() == Invocable.InvocationType.NON_BLOCKING;
	}

	private Server server() {
		return ((JettyWebServer) Objects.requireNonNull(((WebServerApplicationContext) context).getWebServer()))
			.getServer();
	}

	/** Singleton beans created so far. */
	public List<Object> singletons() {
		ConfigurableListableBeanFactory beans = context.getBeanFactory();
		return Arrays.stream(beans.getSingletonNames())
			.filter(name -> beans.getSingleton(name) != null)
			.map(beans::getSingleton)
			.toList();
	}

	@Override
	public void close() {
		context.close();
	}

}
