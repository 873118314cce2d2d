package dev.comfygateway.server;

import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.server.Request;

/** Request with replaced header fields. */
final class WithHeaders extends Request.Wrapper {

	private final HttpFields headers;

	WithHeaders(Request request, HttpFields.Mutable headers) {
		super(request);
		this.headers = headers.asImmutable();
	}

	@Override
	public HttpFields getHeaders() {
		return headers;
	}

}
