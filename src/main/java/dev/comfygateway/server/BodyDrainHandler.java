package dev.comfygateway.server;

import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpHeaderValue;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * Handler of request bodies, which no endpoint reads. A request whose body has not come
 * whole is answered as if it had none, and its connection ends after a {@link BodyDrain}.
 */
final class BodyDrainHandler extends Handler.Wrapper {

	@Override
	public boolean handle(Request request, Response response, Callback callback) throws Exception {
		if (BodyDrain.hasComeWhole(request)) {
			return super.handle(request, response, callback);
		}
		response.getHeaders().put(HttpHeader.CONNECTION, HttpHeaderValue.CLOSE);
		return super.handle(new WithoutBody(request), response, new BodyDrain(request, callback));
	}

	/** Request whose body has not come whole, taken for empty. */
	private static final class WithoutBody extends Request.Wrapper {

		WithoutBody(Request request) {
			super(request);
		}

		@Override
		public Content.Chunk read() {
			return Content.Chunk.EOF;
		}

		@Override
		public void demand(Runnable demandCallback) {
			demandCallback.run();
		}

		@Override
		public boolean consumeAvailable() {
			return true;
		}

	}

}
