package dev.comfygateway.server;

import java.nio.ByteBuffer;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.PreEncodedHttpField;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * Handler that adds {@code Cache-Control} to a response without it: {@code no-cache} if
 * there is an {@code ETag}, {@code no-store} otherwise. Without the field a cache may
 * apply a heuristic freshness lifetime (RFC 9111 section 4.2.2).
 */
final class DefaultCacheControlHandler extends Handler.Wrapper {

	private static final HttpField NO_STORE = new PreEncodedHttpField(HttpHeader.CACHE_CONTROL, "no-store");

	private static final HttpField NO_CACHE = new PreEncodedHttpField(HttpHeader.CACHE_CONTROL, "no-cache");

	@Override
	public boolean handle(Request request, Response response, Callback callback) throws Exception {
		return super.handle(request, new CacheControlResponse(request, response), callback);
	}

	private static final class CacheControlResponse extends Response.Wrapper {

		CacheControlResponse(Request request, Response response) {
			super(request, response);
		}

		@Override
		public void write(boolean last, ByteBuffer content, Callback callback) {
			if (!isCommitted() && !getHeaders().contains(HttpHeader.CACHE_CONTROL)) {
				getHeaders().put(getHeaders().contains(HttpHeader.ETAG) ? NO_CACHE : NO_STORE);
			}
			super.write(last, content, callback);
		}

	}

}
