package dev.comfygateway.server;

import java.nio.ByteBuffer;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpMethod;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.Callback;

/**
 * Handler of HTTP methods. It rejects TRACE and CONNECT, and responds to
 * {@code OPTIONS *}. For OPTIONS of a path, later handlers choose the status, and this
 * one adds {@code Allow}.
 */
final class MethodsHandler extends Handler.Wrapper {

	/** Value of {@code Allow}: all resources are read-only. */
	static final String METHODS = "GET, HEAD, OPTIONS";

	private static final String WHOLE_SERVER = "*";

	@Override
	public boolean handle(Request request, Response response, Callback callback) throws Exception {
		String method = request.getMethod();
		if (HttpMethod.TRACE.is(method)) {
			// A servlet would echo the request
			Response.writeError(request, response, callback, HttpStatus.METHOD_NOT_ALLOWED_405);
			return true;
		}
		if (HttpMethod.CONNECT.is(method)) {
			// Its target is not a path
			Response.writeError(request, response, callback, HttpStatus.BAD_REQUEST_400);
			return true;
		}
		if (!HttpMethod.OPTIONS.is(method)) {
			return super.handle(request, response, callback);
		}
		Response options = new Options(request, response);
		if (WHOLE_SERVER.equals(request.getHttpURI().getPath())) {
			options.setStatus(HttpStatus.NO_CONTENT_204);
			options.write(PreparedResponse.hasLength(options.getStatus()), BufferUtil.EMPTY_BUFFER, callback);
			return true;
		}
		// Spring would respond with 403 to a preflight without a CORS configuration
		HttpFields.Mutable headers = HttpFields.build(request.getHeaders())
			.remove(HttpHeader.ACCESS_CONTROL_REQUEST_METHOD);
		return super.handle(new WithHeaders(request, headers), options, callback);
	}

	/** Response that gets {@code Allow} if its status is a success. */
	private static final class Options extends Response.Wrapper {

		Options(Request request, Response response) {
			super(request, response);
		}

		@Override
		public void write(boolean last, ByteBuffer content, Callback callback) {
			if (!isCommitted() && getStatus() < HttpStatus.MULTIPLE_CHOICES_300) {
				getHeaders().put(HttpHeader.ALLOW, METHODS);
				// Spring sets an empty value, which would still announce PATCH
				getHeaders().remove("Accept-Patch");
			}
			super.write(last, content, callback);
		}

	}

}
