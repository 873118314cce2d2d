package dev.comfygateway.server;

import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * Handler that discards request bodies, which no endpoint reads. A request with an
 * incomplete body is handled as if it had none, and its connection is closed after a
 * {@link BodyDrain}. Over HTTP/2 only its stream ends. Trailers, which Jetty keeps until
 * the request ends, must be small.
 */
final class BodyDrainHandler extends Handler.Wrapper {

	@Override
	public boolean handle(Request request, Response response, Callback callback) throws Exception {
		if (BodyDrain.discardAvailable(request)) {
			HttpFields trailers = request.getTrailers();
			if (trailers == null || !HeadSize.areLargeTrailers(trailers)) {
				return super.handle(request, response, callback);
			}
			Response.writeError(request, response, BodyDrain.andClose(request, response, callback),
					HttpStatus.REQUEST_HEADER_FIELDS_TOO_LARGE_431);
			return true;
		}
		return super.handle(new WithoutBody(request), response, BodyDrain.andClose(request, response, callback));
	}

}
