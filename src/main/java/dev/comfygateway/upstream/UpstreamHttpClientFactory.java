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
 * Factory of the Jetty HTTP client for the upstream. Jetty's automatic features are
 * disabled: added headers, redirects, authentication, cookies and decoding. The client
 * uses HTTP/1.1 on a single connection.
 */
final class UpstreamHttpClientFactory {

	static final int MAX_HEADERS = 64 * 1024;

	/** Host of a request if {@link URI} cannot represent the real one. */
	private static final String PLACEHOLDER_HOST = "host.invalid";

	private static final Duration IDLE = Duration.ofSeconds(30);

	private static final int MAX_THREADS = 6;

	private static final int MAX_RESOLVER_THREADS = 2;

	private static final Duration MAX_RESOLVER_STOP = Duration.ofMillis(200);

	private UpstreamHttpClientFactory() {
	}

	/** Creates a client, which the caller starts and stops. */
	static HttpClient create(HttpClientSettings settings, ComfyProperties properties) {
		ScheduledExecutorScheduler scheduler = new ScheduledExecutorScheduler("upstream-scheduler", true);
		HttpClient client = new JettyHttpClientBuilder().withClientConnectorCustomizerCustomizer(connector -> {
			connector.setSelectors(1);
			// Longer than the deadline, which ends a stalled request first
			connector.setIdleTimeout(properties.deadline().plus(IDLE));
			useJvmSslContext(connector);
		})
			.withHttpClientTransportFactory(HttpClientTransportOverHTTP::new)
			.build(settings.withConnectTimeout(properties.connectTimeout())
				.withRedirects(HttpRedirects.DONT_FOLLOW)
				.withSslBundle(DiagnosticTrustManager.wrap(settings.sslBundle())));
		client.setExecutor(threadPool("upstream", MAX_THREADS));
		client.setScheduler(scheduler);
		client.setUserAgentField(null);
		client.setHttpCookieStore(new HttpCookieStore.Empty());
		client.setMaxResponseHeadersSize(MAX_HEADERS);
		// Requests are queued for the only connection. A failed connection is closed,
		// and connecting has a timeout
		client.setMaxConnectionsPerDestination(1);
		client.addBean(new HandshakeFailures());
		useSeparateResolverThreads(client, scheduler, properties.connectTimeout());
		useJvmProxy(client, properties.url());
		client.addEventListener(new LifeCycle.Listener() {
			@Override
			public void lifeCycleStarted(LifeCycle event) {
				// Jetty adds its defaults when it starts
				client.getContentDecoderFactories().clear();
				client.getProtocolHandlers().clear();
				client.getProtocolHandlers().put(new InterimResponses());
			}
		});
		return client;
	}

	/**
	 * Creates the connector between WebClient and a Jetty client. {@link URI} has no host
	 * for URLs such as {@code http://comfy_ui}, so the host of the request is set
	 * separately.
	 */
	static ClientHttpConnector connector(HttpClient client, BaseUrl upstream) {
		ClientHttpConnector connector = new JettyClientHttpConnector(client);
		return (method, uri, request) -> uri.getHost() != null ? connector.connect(method, uri, request)
				: connector.connect(method, withPlaceholderHost(uri), sending -> {
					sending.<Request>getNativeRequest().host(upstream.host());
					return request.apply(sending);
				});
	}

	/** Returns the URL with a valid host in place of the real one. */
	private static URI withPlaceholderHost(URI uri) {
		return URI.create(uri.toString().replaceFirst("//[^:/]+", "//" + PLACEHOLDER_HOST));
	}

	private static QueuedThreadPool threadPool(String name, int max) {
		QueuedThreadPool threads = new QueuedThreadPool(max, 0, (int) IDLE.toMillis());
		threads.setName(name);
		threads.setDaemon(true);
		threads.setReservedThreads(0);
		return threads;
	}

	/**
	 * Uses the JVM's trusted certificates and client certificates if there is no bundle.
	 */
	private static void useJvmSslContext(ClientConnector connector) {
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
	 * Resolves host names on a separate thread pool. A lookup blocks and cannot be
	 * interrupted: a name server that does not respond would block all threads of the
	 * client.
	 */
	private static void useSeparateResolverThreads(HttpClient client, ScheduledExecutorScheduler scheduler,
			Duration timeout) {
		QueuedThreadPool resolvers = threadPool("upstream-dns", MAX_RESOLVER_THREADS);
		resolvers.setStopTimeout(MAX_RESOLVER_STOP.toMillis());
		client.addBean(resolvers, true);
		client.setSocketAddressResolver(new SocketAddressResolver.Async(resolvers, scheduler, timeout.toMillis()));
	}

	/** Uses the proxy that the JVM's standard properties define for the upstream. */
	private static void useJvmProxy(HttpClient client, BaseUrl upstream) {
		ProxySelector proxies = ProxySelector.getDefault();
		if (proxies == null) {
			return;
		}
		for (Proxy proxy : proxies.select(upstream.uri())) {
			if (proxy.type() == Proxy.Type.HTTP && proxy.address() instanceof InetSocketAddress address) {
				HttpProxy httpProxy = new NamedProxy(address);
				httpProxy.getIncludedAddresses().add(upstream.host());
				client.getProxyConfiguration().addProxy(httpProxy);
				return;
			}
		}
	}

	/**
	 * Returns the host and port of the proxy that a client uses; empty if it uses none.
	 */
	static Optional<String> proxy(HttpClient client) {
		return client.getProxyConfiguration()
			.getProxies()
			.stream()
			.findFirst()
			.map(proxy -> proxy.getAddress().asString());
	}

	/** Proxy with a host name that {@link URI} may be unable to represent. */
	private static final class NamedProxy extends HttpProxy {

		NamedProxy(InetSocketAddress address) {
			super(address.getHostString(), address.getPort());
		}

		@Override
		public URI getURI() {
			URI uri = super.getURI();
			return uri.getHost() != null ? uri : withPlaceholderHost(uri);
		}

	}

	/**
	 * Listener that records the latest failure of a TLS handshake. The request can fail
	 * earlier on another thread, which detects a closed connection but not the reason.
	 */
	static final class HandshakeFailures implements SslHandshakeListener {

		private volatile @Nullable Failure latest;

		@Override
		public void handshakeFailed(Event event, Throwable thrown) {
			latest = new Failure(event.getEndPoint(), thrown);
		}

		/** Returns the failure of a connection's handshake; null if it did not fail. */
		@Nullable Throwable of(EndPoint endPoint) {
			Failure failure = latest;
			return failure != null && failure.endPoint == endPoint ? failure.thrown : null;
		}

		private record Failure(EndPoint endPoint, Throwable thrown) {
		}

	}

	/**
	 * Handler that accepts every interim response. Jetty's own handlers accept only three
	 * statuses.
	 */
	private static final class InterimResponses extends ProcessingProtocolHandler {

		@Override
		public boolean accept(Request request, Response response) {
			int status = response.getStatus();
			return HttpStatus.isInformational(status) && status != HttpStatus.SWITCHING_PROTOCOLS_101;
		}

	}

}
