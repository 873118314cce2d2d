package dev.comfygateway.server;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.InvalidSettingException;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.eclipse.jetty.http.HttpCompliance;
import org.eclipse.jetty.server.AbstractConnectionFactory;
import org.eclipse.jetty.server.AsyncRequestLogWriter;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.CustomRequestLog;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.RequestLogWriter;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.springframework.boot.actuate.autoconfigure.web.ManagementContextConfiguration;
import org.springframework.boot.jetty.autoconfigure.JettyServerProperties;
import org.springframework.boot.jetty.servlet.JettyServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.boot.web.server.context.WebServerApplicationContext;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.core.env.Environment;

/**
 * Jetty settings for which Spring Boot has no property. They apply to both servers. The
 * management server has a separate application context. Component scan finds this class
 * for the callers' port, and the file {@code ManagementContextConfiguration.imports}
 * names it for the management port.
 */
@ManagementContextConfiguration(proxyBeanMethods = false)
class ServerConfiguration {

	/** Maximum number of selectors. More would leave too few of the server's threads. */
	private static final int MAX_SELECTORS = 8;

	private static final List<String> PREFIXES = List.of("server.servlet.context-path", "spring.mvc.servlet.path");

	/** Default paths of probes. They use the lane of probes on both ports. */
	private static final Set<String> PROBES = Set.of("/livez", "/readyz");

	/** Maximum number of connections that wait in the kernel until Jetty accepts them. */
	private static final int ACCEPT_QUEUE_SIZE = 4096;

	/** Responses are small, and the largest file of the page is written in parts. */
	static final int OUTPUT_BUFFER_SIZE = 8 * 1024;

	/**
	 * SO_SNDBUF and SO_RCVBUF in bytes; Linux doubles them. By default it would buffer
	 * megabytes of an unread response.
	 */
	private static final int SOCKET_BUFFER_SIZE = 16 * 1024;

	/**
	 * Time during shutdown in which a persistent connection may send one more request.
	 */
	private static final long SHUTDOWN_IDLE_MILLIS = 5_000;

	private static final long MAX_HEAD_MILLIS = 20_000;

	/** Maximum number of reads that discard an unread body, 8 KiB each. */
	private static final int MAX_UNCONSUMED_READS = 256;

	/**
	 * Rejects settings that change the paths of all servlets. The handlers before the
	 * servlets match the documented paths.
	 * @throws InvalidSettingException if one of these settings is present
	 */
	ServerConfiguration(Environment environment) {
		for (String setting : PREFIXES) {
			String prefix = environment.getProperty(setting, "");
			if (!prefix.isEmpty() && !prefix.equals("/")) {
				throw new InvalidSettingException(setting, "moves the gateway's paths, which are fixed",
						"Remove it, and let the route in front of the gateway strip the prefix.");
			}
		}
	}

	@Bean
	WebServerFactoryCustomizer<JettyServletWebServerFactory> jetty(GatewayProperties properties,
			JettyServerProperties jetty, HeapBudget heap, ApplicationContext beans) {
		ErrorResponseHandler errors = new ErrorResponseHandler(properties.name());
		return factory -> {
			if (jetty.getThreads().getSelectors() == null || jetty.getThreads().getSelectors() < 0) {
				// Jetty's default is one per two cores, but selectors do most of the work
				factory.setSelectors(Math.min(Runtime.getRuntime().availableProcessors(), MAX_SELECTORS));
			}
			if (WebServerApplicationContext.hasServerNamespace(beans, "management")) {
				// Probes and scrapers of the management port need no HTTP/2
				factory.setHttp2(null);
			}
			factory.setErrorPages(Set.of());
			factory.addConfigurations(new ErrorConfiguration(errors));
			factory.addServerCustomizers(server -> customizeServer(server, errors, properties, heap,
					// Beans of this context only: the management context has none
					beans.getBeansOfType(ChainedHandler.class, true, false).values(),
					Stream
						.concat(operatorEndpoints(beans),
								beans.getBeansOfType(Endpoint.class, true, false).values().stream())
						.toList()));
		};
	}

	/**
	 * Returns the endpoints for operators, with their paths on the port of this context.
	 */
	private static Stream<Endpoint> operatorEndpoints(ApplicationContext context) {
		ActuatorPaths probes = new ActuatorPaths(context, "health");
		ActuatorPaths large = new ActuatorPaths(context, "prometheus", "sbom");
		return Stream.of(new Endpoint(path -> PROBES.contains(path) || probes.contains(path), Lane.PROBE, false),
				new Endpoint(large::contains, Lane.LARGE, false));
	}

	private static void customizeServer(Server server, ErrorResponseHandler errors, GatewayProperties properties,
			HeapBudget heap, Collection<ChainedHandler> added, Collection<Endpoint> endpoints) {
		server.setErrorHandler(errors);
		if (server.getRequestLog() instanceof CustomRequestLog log) {
			server.setRequestLog(withoutBlocking(log));
		}
		for (Connector connector : server.getConnectors()) {
			customizeConnector(connector, heap);
		}
		boolean http2 = Stream.of(server.getConnectors()).anyMatch(Http2::isSupportedBy);
		new HandlerChain(properties, heap, errors).handlers(added, endpoints, http2)
			.reversed()
			.forEach(server::insertHandler);
	}

	/**
	 * Returns the access log with a writer that queues lines, and drops them while its
	 * output is not read. Responses do not wait for it.
	 */
	private static CustomRequestLog withoutBlocking(CustomRequestLog log) {
		AsyncRequestLogWriter writer = new AsyncRequestLogWriter();
		if (log.getWriter() instanceof RequestLogWriter configured) {
			writer.setFilename(configured.getFileName());
			writer.setFilenameDateFormat(configured.getFilenameDateFormat());
			writer.setRetainDays(configured.getRetainDays());
			writer.setAppend(configured.isAppend());
		}
		CustomRequestLog asynchronous = new CustomRequestLog(writer, log.getFormatString());
		asynchronous.setIgnorePaths(log.getIgnorePaths());
		return asynchronous;
	}

	private static void customizeConnector(Connector connector, HeapBudget heap) {
		connector.getConnectionFactories()
			.stream()
			.filter(HttpConnectionFactory.class::isInstance)
			.map(HttpConnectionFactory.class::cast)
			.map(HttpConnectionFactory::getHttpConfiguration)
			.forEach(ServerConfiguration::customizeHttp);
		if (connector instanceof ServerConnector server) {
			server.setAcceptQueueSize(ACCEPT_QUEUE_SIZE);
			server.setShutdownIdleTimeout(SHUTDOWN_IDLE_MILLIS);
			server.setAcceptedReceiveBufferSize(SOCKET_BUFFER_SIZE);
			server.setAcceptedSendBufferSize(SOCKET_BUFFER_SIZE);
			Http2.customize(server);
			server.addBean(new HeadTimeout(server, headMillis(server.getIdleTimeout())));
			if (server.getDefaultConnectionFactory() instanceof AbstractConnectionFactory first) {
				server.addFirstConnectionFactory(new MeteredConnectionFactory(heap, first));
			}
			heap.add(server);
		}
	}

	/**
	 * Returns the time limit of a head. An idle timeout of zero or less means no timeout.
	 */
	static long headMillis(long idleMillis) {
		return idleMillis > 0 ? Math.min(MAX_HEAD_MILLIS, idleMillis) : MAX_HEAD_MILLIS;
	}

	private static void customizeHttp(HttpConfiguration http) {
		// Jetty's cache uses up to 100 KiB per persistent connection
		http.setHeaderCacheSize(0);
		http.setOutputBufferSize(OUTPUT_BUFFER_SIZE);
		http.setMaxUnconsumedRequestContentReads(MAX_UNCONSUMED_READS);
		// The host of an absolute-form target overrides Host (RFC 9112 section 3.2.2)
		http.setHttpCompliance(
				http.getHttpCompliance().with("ABSOLUTE_TARGET", HttpCompliance.Violation.MISMATCHED_AUTHORITY));
	}

}
