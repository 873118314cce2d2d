package dev.comfygateway.server;

import dev.comfygateway.error.ErrorAnswer;
import java.nio.ByteBuffer;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.Callback;

/**
 * Handler that gives a body to the errors that have none. Spring Boot's actuator answers
 * so where an endpoint does not know what it is asked for.
 */
final class ErrorBodyHandler extends Handler.Wrapper {

	private final ErrorAnswerHandler errors;

	ErrorBodyHandler(ErrorAnswerHandler errors) {
		this.errors = errors;
	}

	@Override
	public boolean handle(Request request, Response response, Callback callback) throws Exception {
		return super.handle(request, new WithErrorBody(request, response), callback);
	}

	private final class WithErrorBody extends Response.Wrapper {

		private boolean written;

		WithErrorBody(Request request, Response response) {
			super(request, response);
		}

		@Override
		public void write(boolean last, ByteBuffer content, Callback callback) {
			boolean empty = last && !written && BufferUtil.isEmpty(content);
			written = true;
			if (empty && getStatus() >= 400) {
				errors.write(ErrorAnswer.ofStatus(getStatus()), getWrapped(), callback);
			}
			else {
				super.write(last, content, callback);
			}
		}

	}

}
