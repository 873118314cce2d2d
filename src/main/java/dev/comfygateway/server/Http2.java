package dev.comfygateway.server;

import java.util.List;
import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.http.MetaData;
import org.eclipse.jetty.http2.FlowControlStrategy;
import org.eclipse.jetty.http2.HTTP2Connection;
import org.eclipse.jetty.http2.HTTP2Session;
import org.eclipse.jetty.http2.HTTP2Stream;
import org.eclipse.jetty.http2.api.Session;
import org.eclipse.jetty.http2.frames.Frame;
import org.eclipse.jetty.http2.frames.FrameType;
import org.eclipse.jetty.http2.server.AbstractHTTP2ServerConnectionFactory;
import org.eclipse.jetty.http2.server.HTTP2CServerConnectionFactory;
import org.eclipse.jetty.http2.server.HTTP2ServerConnectionFactory;
import org.eclipse.jetty.io.AbstractEndPoint;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.io.EofException;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.component.Graceful;
import org.jspecify.annotations.Nullable;

/**
 * Settings of HTTP/2 on a connector that speaks it. Jetty itself bounds the rate of
 * resets, pings and other frames that cost a caller nothing.
 */
final class Http2 {

	/** Streams of a connection that are open at the same time. */
	private static final int MAX_STREAMS = 128;

	/**
	 * Bytes of bodies that are held until they are read. Less is not possible: a caller
	 * sends so much before it knows a limit.
	 */
	private static final int WINDOW = FlowControlStrategy.DEFAULT_WINDOW_SIZE;

	/**
	 * Ratio of the longest head that is parsed to the longest that is served. A longer
	 * head closes the connection with all its streams.
	 */
	private static final int READ_HEADS = 8;

	/**
	 * Maximum of window updates between two data frames. Jetty queues them while a write
	 * is pending, and limits only the rate of those without effect.
	 */
	private static final int MAX_WINDOW_UPDATES = 1_000;

	private Http2() {
	}

	static boolean isSpokenBy(Connector connector) {
		return connector.getConnectionFactory(HTTP2ServerConnectionFactory.class) != null;
	}

	/** Tells callers to use other connections; those here end with their streams. */
	static void goAway(Connector connector) {
		connector.getConnectionFactory(HTTP2ServerConnectionFactory.class)
			.getBeans(Graceful.class)
			.forEach(Graceful::shutdown);
	}

	/** Sets the limits if the connector speaks HTTP/2. */
	static void customize(ServerConnector connector) {
		// The first one without TLS is a subclass of the second one
		HTTP2ServerConnectionFactory present = connector.getConnectionFactory(HTTP2ServerConnectionFactory.class);
		if (present == null) {
			return;
		}
		HttpConfiguration shared = present.getHttpConfiguration();
		HttpConfiguration own = new HttpConfiguration(shared);
		own.setRequestHeaderSize(shared.getRequestHeaderSize() * READ_HEADS);
		AbstractHTTP2ServerConnectionFactory http2 = present instanceof HTTP2CServerConnectionFactory
				? new UpgradingFactory(own) : new HTTP2ServerConnectionFactory(own);
		for (HttpConfiguration configuration : List.of(shared, own)) {
			// Nothing speaks HTTP/3
			configuration.getCustomizers().removeIf(HTTP2ServerConnectionFactory.AltSvcCustomizer.class::isInstance);
		}
		http2.setMaxConcurrentStreams(MAX_STREAMS);
		http2.setInitialSessionRecvWindow(WINDOW);
		http2.setInitialStreamRecvWindow(WINDOW);
		http2.setConnectProtocolEnabled(false);
		http2.addEventListener(new Sessions());
		// It would fail the streams that are still in flight then
		connector.setShutdownIdleTimeout(-1);
		// In their order, by which TLS chooses
		connector.setConnectionFactories(connector.getConnectionFactories()
			.stream()
			.map(factory -> factory == present ? http2 : factory)
			.toList());
	}

	/** Longest head that is served, in bytes. */
	static int maxHead(Request request) {
		return request.getConnectionMetaData().getHttpConfiguration().getRequestHeaderSize() / READ_HEADS;
	}

	/** Stream of a request that is in progress; absent over HTTP/1.1. */
	static @Nullable HTTP2Stream stream(Request request) {
		return request.getConnectionMetaData().getConnection() instanceof HTTP2Connection http2
				? http2.getSession().getStream(Integer.parseInt(request.getId())) : null;
	}

	/** Whether a request's stream has been reset, by its caller most often. */
	static boolean hasLeft(Request request) {
		if (!(request.getConnectionMetaData().getConnection() instanceof HTTP2Connection)) {
			return false;
		}
		HTTP2Stream stream = stream(request);
		return stream == null || stream.isReset() || stream.isClosed();
	}

	/**
	 * Streams that must not send, since their callers or the connection's do not read.
	 */
	static List<HTTP2Stream> stalled(Connection connection) {
		if (!(connection instanceof HTTP2Connection http2)) {
			return List.of();
		}
		HTTP2Session session = http2.getSession();
		boolean isStalled = session.updateSendWindow(0) <= 0;
		return session.getStreams()
			.stream()
			.map(HTTP2Stream.class::cast)
			.filter(stream -> isStalled || stream.updateSendWindow(0) <= 0)
			.toList();
	}

	/** Whether the last write to the socket is not complete. */
	static boolean isWritePending(HTTP2Connection http2) {
		EndPoint endPoint = http2.getEndPoint();
		while (endPoint instanceof EndPoint.Wrapper wrapper) {
			endPoint = wrapper.unwrap();
		}
		return endPoint instanceof AbstractEndPoint socket && socket.getWriteFlusher().isPending();
	}

	/** Whether a connection has streams, and all of them are stalled. */
	static boolean isUnread(Connection connection) {
		return connection instanceof HTTP2Connection http2
				&& stalled(connection).size() == http2.getSession().getStreams().size();
	}

	/** Notes connections and their frames in the meters. */
	private static final class Sessions implements HTTP2Session.LifeCycleListener, HTTP2Session.FrameListener {

		@Override
		public void onOpen(Session session) {
			MeteredEndPoint endPoint = MeteredEndPoint.of(((HTTP2Session) session).getEndPoint());
			if (endPoint != null) {
				endPoint.speaksHttp2();
			}
		}

		@Override
		public void onIncomingFrame(Session session, Frame frame) {
			MeteredEndPoint endPoint = MeteredEndPoint.of(((HTTP2Session) session).getEndPoint());
			StreamMeter streams = endPoint == null ? null : endPoint.streams();
			if (endPoint == null || streams == null) {
				return;
			}
			streams.frameComplete();
			if (frame.getType() == FrameType.WINDOW_UPDATE && streams.windowUpdates() > MAX_WINDOW_UPDATES) {
				endPoint.close(new EofException("Too many window updates"));
			}
		}

		@Override
		public void onOutgoingFrame(Session session, Frame frame) {
			MeteredEndPoint endPoint = MeteredEndPoint.of(((HTTP2Session) session).getEndPoint());
			StreamMeter streams = endPoint == null ? null : endPoint.streams();
			if (streams != null && frame.getType() == FrameType.DATA) {
				streams.dataSent();
			}
		}

	}

	/** Factory of connections without TLS, to which HTTP/1.1 can be upgraded. */
	private static final class UpgradingFactory extends HTTP2CServerConnectionFactory {

		UpgradingFactory(HttpConfiguration configuration) {
			super(configuration);
		}

		/**
		 * Upgrades a connection. A request that may not be upgraded (RFC 7540 section
		 * 3.2.1) or has a body is answered over HTTP/1.1, as if it had not asked.
		 */
		@Override
		public @Nullable Connection upgradeConnection(Connector connector, EndPoint endPoint, MetaData.Request request,
				HttpFields.Mutable response101) {
			HttpFields fields = request.getHttpFields();
			boolean isPreface = fields.size() == 0;
			if (!isPreface && (fields.getFields(HttpHeader.HTTP2_SETTINGS).size() != 1
					|| fields.contains(HttpHeader.TRANSFER_ENCODING))) {
				return null;
			}
			try {
				return super.upgradeConnection(connector, endPoint, request, response101);
			}
			catch (IllegalArgumentException malformed) {
				throw new HttpException.RuntimeException(HttpStatus.BAD_REQUEST_400, malformed);
			}
		}

	}

}
