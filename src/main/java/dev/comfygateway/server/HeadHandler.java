package dev.comfygateway.server;

import dev.comfygateway.error.GatewayError;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.http.HttpVersion;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * Handler that meters request heads, and rejects some that Jetty accepts. It closes the
 * connection of a rejected request, which would retain the request's fields.
 */
final class HeadHandler extends Handler.Wrapper {

	/** Maximum number of fields. Even a short field uses about 100 bytes of heap. */
	private static final int MAX_FIELDS = 100;

	private final ErrorResponseHandler errors;

	HeadHandler(ErrorResponseHandler errors) {
		this.errors = errors;
	}

	@Override
	public boolean handle(Request request, Response response, Callback callback) throws Exception {
		MeteredEndPoint endPoint = MeteredEndPoint.of(request.getConnectionMetaData().getConnection().getEndPoint());
		if (endPoint != null && endPoint.streams() == null) {
			endPoint.recordHead(HeadSize.of(request));
		}
		HttpFields fields = request.getHeaders();
		if (fields.size() > MAX_FIELDS) {
			reject(HttpStatus.REQUEST_HEADER_FIELDS_TOO_LARGE_431, request, response, callback);
			return true;
		}
		if (request.getConnectionMetaData().getHttpVersion() == HttpVersion.HTTP_1_0
				&& fields.contains(HttpHeader.TRANSFER_ENCODING)) {
			// RFC 9112 section 6.1 requires its framing to be treated as faulty
			reject(HttpStatus.BAD_REQUEST_400, request, response, callback);
			return true;
		}
		return super.handle(request, response, callback);
	}

	private void reject(int status, Request request, Response response, Callback callback) {
		errors.write(GatewayError.ofStatus(status), response, BodyDrain.andClose(request, response, callback));
	}

}
