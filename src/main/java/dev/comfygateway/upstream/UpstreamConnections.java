package dev.comfygateway.upstream;

import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.URI;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.HttpProxy;
import org.eclipse.jetty.client.ProcessingProtocolHandler;
import org.eclipse.jetty.client.Request;
import org.eclipse.jetty.client.Response;
import org.eclipse.jetty.client.transport.HttpClientTransportOverHTTP;
import org.eclipse.jetty.http.HttpCookieStore;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.io.ClientConnector;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.io.ssl.SslHandshakeListener;
import org.eclipse.jetty.util.SocketAddressResolver;
import org.eclipse.jetty.util.component.LifeCycle;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.eclipse.jetty.util.thread.ScheduledExecutorScheduler;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.http.client.HttpClientSettings;
import org.springframework.boot.http.client.HttpRedirects;
import org.springframework.boot.http.client.JettyHttpClientBuilder;
import org.springframework.http.client.reactive.ClientHttpConnector;
import org.springframework.http.client.reactive.JettyClientHttpConnector;

/**
 * Jetty's HTTP client with all that it does by itself switched off: it adds no header,
 * follows no redirect, answers no challenge, keeps no cookie and decodes no body. It
 * speaks HTTP/1.1 on one connection.
 */
final class UpstreamConnections {

	static final int MAX_HEADERS = 64 * 1024;

	private static final String STAND_IN = "host.invalid";

	private static final Duration IDLE = Duration.ofSeconds(30);

	private static final int MAX_THREADS = 6;

	private static final int MAX_RESOLVER_THREADS = 2;

	private static final Duration MAX_RESOLVER_STOP = Duration.ofMillis(200);

	private UpstreamConnections() {
	}

	/** A client that is yet to be started, and to be stopped. */
	static HttpClient create(HttpClientSettings settings, ComfyProperties properties) {
		ScheduledExecutorScheduler scheduler = new ScheduledExecutorScheduler("upstream-scheduler", true);
		HttpClient client = new JettyHttpClientBuilder().withClientConnectorCustomizerCustomizer(connector -> {
			connector.setSelectors(1);
			// Longer than a stalled answer can take, which the deadline ends
			connector.setIdleTimeout(properties.deadline().plus(IDLE));
			useTrustOfJvm(connector);
		})
			.withHttpClientTransportFactory(HttpClientTransportOverHTTP::new)
			.build(settings.withConnectTimeout(properties.connectTimeout()).withRedirects(HttpRedirects.DONT_FOLLOW));
		client.setExecutor(threads("upstream", MAX_THREADS));
		client.setScheduler(scheduler);
		client.setUserAgentField(null);
		client.setHttpCookieStore(new HttpCookieStore.Empty());
		client.setMaxResponseHeadersSize(MAX_HEADERS);
		// The pool makes no second connection while one is in use or being made. Each one
		// that fails is closed, and a connect attempt ends by its timeout
		client.setMaxConnectionsPerDestination(1);
		client.addBean(new HandshakeFailures());
		resolveElsewhere(client, scheduler, properties.connectTimeout());
		useProxyOfJvm(client, properties.url());
		client.addEventListener(new LifeCycle.Listener() {
			@Override
			public void lifeCycleStarted(LifeCycle event) {
				// Only now, since Jetty adds its own when it starts
				client.getContentDecoderFactories().clear();
				client.getProtocolHandlers().clear();
				client.getProtocolHandlers().put(new InterimResponses());
			}
		});
		return client;
	}

	/**
	 * Connector of WebClient to these connections. Jetty takes no host from a {@link URI}
	 * that has none, such as {@code http://comfy_ui}, but takes it apart from one.
	 */
	static ClientHttpConnector connector(HttpClient client, BaseUrl upstream) {
		ClientHttpConnector connector = new JettyClientHttpConnector(client);
		return (method, uri, request) -> uri.getHost() != null ? connector.connect(method, uri, request)
				: connector.connect(method, withStandIn(uri), sending -> {
					sending.<Request>getNativeRequest().host(upstream.host());
					return request.apply(sending);
				});
	}

	/** The address with a host that is never asked. */
	private static URI withStandIn(URI uri) {
		return URI.create(uri.toString().replaceFirst("//[^:/]+", "//" + STAND_IN));
	}

	private static QueuedThreadPool threads(String name, int max) {
		QueuedThreadPool threads = new QueuedThreadPool(max, 0, (int) IDLE.toMillis());
		threads.setName(name);
		threads.setDaemon(true);
		threads.setReservedThreads(0);
		return threads;
	}

	/** The certificates that the JVM trusts, where the settings name no others. */
	private static void useTrustOfJvm(ClientConnector connector) {
		if (connector.getSslContextFactory() == null) {
			SslContextFactory.Client tls = new SslContextFactory.Client();
			try {
				tls.setSslContext(SSLContext.getDefault());
			}
			catch (NoSuchAlgorithmException e) {
				throw new IllegalStateException(e);
			}
			connector.setSslContextFactory(tls);
		}
	}

	/**
	 * Looks up addresses on threads of their own: a lookup blocks, cannot be interrupted,
	 * and would hold the carrier of a virtual thread.
	 */
	private static void resolveElsewhere(HttpClient client, ScheduledExecutorScheduler scheduler, Duration timeout) {
		QueuedThreadPool resolvers = threads("upstream-dns", MAX_RESOLVER_THREADS);
		resolvers.setStopTimeout(MAX_RESOLVER_STOP.toMillis());
		client.addBean(resolvers, true);
		client.setSocketAddressResolver(new SocketAddressResolver.Async(resolvers, scheduler, timeout.toMillis()));
	}

	/** Takes the proxy that the JVM's standard properties name for the upstream. */
	private static void useProxyOfJvm(HttpClient client, BaseUrl upstream) {
		ProxySelector proxies = ProxySelector.getDefault();
		if (proxies == null) {
			return;
		}
		for (Proxy proxy : proxies.select(upstream.uri())) {
			if (proxy.type() == Proxy.Type.HTTP && proxy.address() instanceof InetSocketAddress address) {
				HttpProxy used = new NamedProxy(address);
				used.getIncludedAddresses().add(upstream.host());
				client.getProxyConfiguration().addProxy(used);
				return;
			}
		}
	}

	/** Host and port of the proxy that a client uses for the upstream. */
	static Optional<String> proxy(HttpClient client) {
		return client.getProxyConfiguration()
			.getProxies()
			.stream()
			.findFirst()
			.map(proxy -> proxy.getAddress().asString());
	}

	/** Proxy whose name may be none that {@link URI} has a host for. */
	private static final class NamedProxy extends HttpProxy {

		NamedProxy(InetSocketAddress address) {
			super(address.getHostString(), address.getPort());
		}

		@Override
		public URI getURI() {
			URI uri = super.getURI();
			return uri.getHost() != null ? uri : withStandIn(uri);
		}

	}

	/**
	 * The latest TLS handshake that failed. Another thread that finds the connection
	 * closed then can be the first to fail the request, without the reason.
	 */
	static final class HandshakeFailures implements SslHandshakeListener {

		private volatile @Nullable Failure latest;

		@Override
		public void handshakeFailed(Event event, Throwable thrown) {
			latest = new Failure(event.getEndPoint(), thrown);
		}

		/** What a connection's handshake failed by, where it did. */
		@Nullable Throwable of(EndPoint endPoint) {
			Failure failure = latest;
			return failure != null && failure.endPoint == endPoint ? failure.thrown : null;
		}

		private record Failure(EndPoint endPoint, Throwable thrown) {
		}

	}

	/** Handler of every interim response; Jetty's own ones know three statuses. */
	private static final class InterimResponses extends ProcessingProtocolHandler {

		@Override
		public boolean accept(Request request, Response response) {
			int status = response.getStatus();
			return HttpStatus.isInformational(status) && status != HttpStatus.SWITCHING_PROTOCOLS_101;
		}

	}

}
