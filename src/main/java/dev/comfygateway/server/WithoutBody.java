package dev.comfygateway.server;

import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;

/** Request with an incomplete body, which is presented as empty. */
final class WithoutBody extends Request.Wrapper {

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
