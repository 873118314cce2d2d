package dev.comfygateway.server;

import java.nio.ByteBuffer;
import java.util.List;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpMethod;
import org.eclipse.jetty.http.PreEncodedHttpField;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.springframework.web.cors.CorsConfiguration;

/**
 * CORS handler of the API. It only adds header fields. A request from an origin that is
 * not allowed gets the same response without them, and the browser does not expose it to
 * the page. Jetty's {@code CrossOriginHandler} cannot allow every request header in a
 * preflight.
 */
final class CorsHandler extends Handler.Wrapper {

	private static final HttpField VARY = new PreEncodedHttpField(HttpHeader.VARY, HttpHeader.ORIGIN.asString());

	private static final HttpField EXPOSE_HEADERS = new PreEncodedHttpField(HttpHeader.ACCESS_CONTROL_EXPOSE_HEADERS,
			"Age, Cache-Status, ETag, Proxy-Status, Retry-After");

	private static final HttpField ALLOW_METHODS = new PreEncodedHttpField(HttpHeader.ACCESS_CONTROL_ALLOW_METHODS,
			"GET, HEAD");

	/** One hour, in seconds. */
	private static final HttpField MAX_AGE = new PreEncodedHttpField(HttpHeader.ACCESS_CONTROL_MAX_AGE, "3600");

	private final CorsConfiguration origins = new CorsConfiguration();

	private final List<Endpoint> endpoints;

	/**
	 * Creates the handler.
	 * @param origins allowed origins, or {@code *}
	 * @param endpoints endpoints that pages of these origins may read
	 */
	CorsHandler(List<String> origins, List<Endpoint> endpoints) {
		this.endpoints = endpoints;
		this.origins.setAllowedOrigins(origins);
	}

	@Override
	public boolean handle(Request request, Response response, Callback callback) throws Exception {
		String path = Request.getPathInContext(request);
		if (endpoints.stream().noneMatch(endpoint -> endpoint.contains(path))) {
			return super.handle(request, response, callback);
		}
		HttpFields.Mutable headers = response.getHeaders();
		headers.add(VARY);
		String allowed = origins.checkOrigin(request.getHeaders().get(HttpHeader.ORIGIN));
		if (allowed != null) {
			headers.put(HttpHeader.ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
			addFields(request, headers);
		}
		return super.handle(request, new KeptVary(request, response), callback);
	}

	private static void addFields(Request request, HttpFields.Mutable headers) {
		if (!HttpMethod.OPTIONS.is(request.getMethod())
				|| !request.getHeaders().contains(HttpHeader.ACCESS_CONTROL_REQUEST_METHOD)) {
			headers.put(EXPOSE_HEADERS);
			return;
		}
		headers.put(ALLOW_METHODS);
		headers.put(MAX_AGE);
		List<String> requested = request.getHeaders().getCSV(HttpHeader.ACCESS_CONTROL_REQUEST_HEADERS, false);
		if (!requested.isEmpty()) {
			headers.put(HttpHeader.ACCESS_CONTROL_ALLOW_HEADERS, String.join(", ", requested));
		}
	}

	/**
	 * Response that restores {@code Vary}, which a servlet's {@code sendError} removes.
	 */
	private static final class KeptVary extends Response.Wrapper {

		KeptVary(Request request, Response response) {
			super(request, response);
		}

		@Override
		public void write(boolean last, ByteBuffer content, Callback callback) {
			if (!isCommitted()) {
				getHeaders().ensureField(VARY);
			}
			super.write(last, content, callback);
		}

	}

}
