package dev.comfygateway.server;

import java.util.List;
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
 * HTTP/2 settings of a connector. Jetty itself limits the rate of resets, pings and other
 * frames that cost a caller nothing.
 */
final class Http2 {

	/** Maximum number of concurrent streams of a connection. */
	private static final int MAX_STREAMS = 128;

	/**
	 * Receive window: maximum number of unread bytes of request bodies. It cannot be
	 * smaller than the default, which callers use until they receive the gateway's
	 * settings.
	 */
	private static final int WINDOW = FlowControlStrategy.DEFAULT_WINDOW_SIZE;

	/**
	 * Ratio of the maximum head that is parsed to the maximum head that is served. A head
	 * that is too long to be parsed closes the connection with all its streams.
	 */
	private static final int READ_HEADS = 8;

	/**
	 * Maximum number of window updates received between two data frames sent. Jetty
	 * queues window updates while a write is pending, and limits only the rate of those
	 * without effect.
	 */
	private static final int MAX_WINDOW_UPDATES = 1_000;

	/**
	 * Maximum number of frames queued behind a pending write. Jetty limits only the rate
	 * of the frames that it answers, such as pings.
	 */
	private static final int MAX_QUEUED_FRAMES = 1_000;

	private Http2() {
	}

	static boolean isSupportedBy(Connector connector) {
		return connector.getConnectionFactory(HTTP2ServerConnectionFactory.class) != null;
	}

	/** Sends GOAWAY on all connections, which close when their open streams end. */
	static void goAway(Connector connector) {
		connector.getConnectionFactory(HTTP2ServerConnectionFactory.class)
			.getBeans(Graceful.class)
			.forEach(Graceful::shutdown);
	}

	/** Sets the limits if the connector supports HTTP/2. */
	static void customize(ServerConnector connector) {
		// HTTP2CServerConnectionFactory, for connections without TLS, is a subclass
		HTTP2ServerConnectionFactory original = connector.getConnectionFactory(HTTP2ServerConnectionFactory.class);
		if (original == null) {
			return;
		}
		HttpConfiguration shared = original.getHttpConfiguration();
		HttpConfiguration own = new HttpConfiguration(shared);
		own.setRequestHeaderSize(shared.getRequestHeaderSize() * READ_HEADS);
		AbstractHTTP2ServerConnectionFactory http2 = original instanceof HTTP2CServerConnectionFactory
				? new Http2ConnectionFactory.Upgrading(own) : new Http2ConnectionFactory(own);
		for (HttpConfiguration configuration : List.of(shared, own)) {
			// The gateway does not support HTTP/3
			configuration.getCustomizers().removeIf(HTTP2ServerConnectionFactory.AltSvcCustomizer.class::isInstance);
		}
		http2.setMaxConcurrentStreams(MAX_STREAMS);
		http2.setInitialSessionRecvWindow(WINDOW);
		http2.setInitialStreamRecvWindow(WINDOW);
		http2.setConnectProtocolEnabled(false);
		http2.addEventListener(new Sessions());
		// This timeout would fail streams that are still in progress
		connector.setShutdownIdleTimeout(-1);
		// Keeps the order, by which ALPN chooses a protocol
		connector.setConnectionFactories(connector.getConnectionFactories()
			.stream()
			.map(factory -> factory == original ? http2 : factory)
			.toList());
	}

	/** Returns the maximum size of a head that is served, in bytes. */
	static int maxHead(Request request) {
		return request.getConnectionMetaData().getHttpConfiguration().getRequestHeaderSize() / READ_HEADS;
	}

	/**
	 * Returns the stream of a request; {@code null} over HTTP/1.1 or if the stream has
	 * ended.
	 */
	static @Nullable HTTP2Stream stream(Request request) {
		return request.getConnectionMetaData().getConnection() instanceof HTTP2Connection http2
				? http2.getSession().getStream(Integer.parseInt(request.getId())) : null;
	}

	/**
	 * Returns whether the request's HTTP/2 stream is reset or closed, in most cases by
	 * the caller.
	 */
	static boolean isStreamClosed(Request request) {
		if (!(request.getConnectionMetaData().getConnection() instanceof HTTP2Connection)) {
			return false;
		}
		HTTP2Stream stream = stream(request);
		return stream == null || stream.isReset() || stream.isClosed();
	}

	/**
	 * Returns the streams that cannot send, since their send window or that of the
	 * connection is empty.
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

	/** Returns whether the last write to the socket is not complete. */
	static boolean isWritePending(HTTP2Connection http2) {
		EndPoint endPoint = http2.getEndPoint();
		while (endPoint instanceof EndPoint.Wrapper wrapper) {
			endPoint = wrapper.unwrap();
		}
		return endPoint instanceof AbstractEndPoint socket && socket.getWriteFlusher().isPending();
	}

	/** Returns whether all streams of an HTTP/2 connection are stalled. */
	static boolean isUnread(Connection connection) {
		return connection instanceof HTTP2Connection http2
				&& stalled(connection).size() == http2.getSession().getStreams().size();
	}

	/** Listener that records connections and their frames in the meters. */
	private static final class Sessions implements HTTP2Session.LifeCycleListener, HTTP2Session.FrameListener {

		@Override
		public void onOpen(Session session) {
			MeteredEndPoint endPoint = MeteredEndPoint.of(((HTTP2Session) session).getEndPoint());
			if (endPoint != null) {
				endPoint.switchToHttp2();
			}
		}

		@Override
		public void onIncomingFrame(Session session, Frame frame) {
			MeteredEndPoint endPoint = MeteredEndPoint.of(((HTTP2Session) session).getEndPoint());
			Http2StreamMeter streams = endPoint == null ? null : endPoint.streams();
			if (endPoint == null || streams == null) {
				return;
			}
			streams.frameComplete();
			if (frame.getType() == FrameType.WINDOW_UPDATE && streams.countWindowUpdate() > MAX_WINDOW_UPDATES) {
				endPoint.close(new EofException("Too many window updates"));
			}
			else if (((HTTP2Session) session).getFrameQueueSize() > MAX_QUEUED_FRAMES) {
				endPoint.close(new EofException("Too many queued frames"));
			}
		}

		@Override
		public void onOutgoingFrame(Session session, Frame frame) {
			MeteredEndPoint endPoint = MeteredEndPoint.of(((HTTP2Session) session).getEndPoint());
			Http2StreamMeter streams = endPoint == null ? null : endPoint.streams();
			if (streams != null && frame.getType() == FrameType.DATA) {
				streams.dataSent();
			}
		}

	}

}
