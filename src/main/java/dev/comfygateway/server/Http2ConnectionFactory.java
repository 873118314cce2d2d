package dev.comfygateway.server;

import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.http.MetaData;
import org.eclipse.jetty.http2.ErrorCode;
import org.eclipse.jetty.http2.api.Stream;
import org.eclipse.jetty.http2.api.server.ServerSessionListener;
import org.eclipse.jetty.http2.frames.HeadersFrame;
import org.eclipse.jetty.http2.frames.ResetFrame;
import org.eclipse.jetty.http2.server.HTTP2CServerConnectionFactory;
import org.eclipse.jetty.http2.server.HTTP2ServerConnectionFactory;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;

/**
 * Factory of HTTP/2 connections. A stream with large trailers is reset, since Jetty keeps
 * trailers until the response ends.
 */
final class Http2ConnectionFactory extends HTTP2ServerConnectionFactory {

	Http2ConnectionFactory(HttpConfiguration configuration) {
		super(configuration);
	}

	@Override
	protected ServerSessionListener newSessionListener(Connector connector, EndPoint endPoint) {
		return new SessionListener(this, endPoint);
	}

	/** Listener of a connection and its streams. */
	private static final class SessionListener extends HTTPServerSessionListener {

		SessionListener(HTTP2ServerConnectionFactory factory, EndPoint endPoint) {
			factory.super(endPoint);
		}

		@Override
		public void onHeaders(Stream stream, HeadersFrame trailers) {
			if (HeadSize.areLargeTrailers(trailers.getMetaData().getHttpFields())) {
				stream.reset(new ResetFrame(stream.getId(), ErrorCode.ENHANCE_YOUR_CALM_ERROR.code), Callback.NOOP);
			}
			else {
				super.onHeaders(stream, trailers);
			}
		}

	}

	/** Factory of HTTP/2 connections without TLS, including upgrades from HTTP/1.1. */
	static final class Upgrading extends HTTP2CServerConnectionFactory {

		Upgrading(HttpConfiguration configuration) {
			super(configuration);
		}

		@Override
		protected ServerSessionListener newSessionListener(Connector connector, EndPoint endPoint) {
			return new SessionListener(this, endPoint);
		}

		/**
		 * Upgrades a connection. The upgrade is ignored if the request does not have
		 * exactly one {@code HTTP2-Settings} field (RFC 7540 section 3.2.1) or if it has
		 * a body. Jetty itself checks {@code Content-Length}.
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
