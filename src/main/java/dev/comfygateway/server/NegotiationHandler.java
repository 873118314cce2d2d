package dev.comfygateway.server;

import java.util.ArrayList;
import java.util.List;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.springframework.util.InvalidMimeTypeException;
import org.springframework.util.MimeType;
import org.springframework.util.MimeTypeUtils;

/**
 * Handler that ignores content negotiation and ranges, as RFC 9110 sections 12.4.1 and
 * 14.2 allow. Every response is complete and has one media type, so that no probe fails
 * because of its {@code Accept} field. Only the metrics have several formats, and
 * {@code Accept} is a preference for them.
 */
final class NegotiationHandler extends Handler.Wrapper {

	/** Fields to remove. The last one describes a body, and no endpoint reads one. */
	private static final List<HttpHeader> IGNORED = List.of(HttpHeader.ACCEPT, HttpHeader.RANGE,
			HttpHeader.CONTENT_TYPE);

	private static final String METRICS = "/prometheus";

	@Override
	public boolean handle(Request request, Response response, Callback callback) throws Exception {
		HttpFields headers = request.getHeaders();
		if (IGNORED.stream().noneMatch(headers::contains)) {
			return super.handle(request, response, callback);
		}
		HttpFields.Mutable changed = HttpFields.build(headers);
		IGNORED.forEach(changed::remove);
		if (Request.getPathInContext(request).endsWith(METRICS)) {
			changed.put(HttpHeader.ACCEPT, preferences(headers.getValuesList(HttpHeader.ACCEPT)));
		}
		return super.handle(new WithHeaders(request, changed), response, callback);
	}

	/** Adds all types as the last preference. Malformed preferences are ignored. */
	private static String preferences(List<String> accept) {
		try {
			List<MimeType> types = new ArrayList<>(MimeTypeUtils.parseMimeTypes(String.join(",", accept)));
			types.add(MimeTypeUtils.ALL);
			return MimeTypeUtils.toString(types);
		}
		catch (InvalidMimeTypeException ignored) {
			return MimeTypeUtils.ALL_VALUE;
		}
	}

}
