package dev.comfygateway.server;

import dev.comfygateway.error.GatewayError;
import java.nio.ByteBuffer;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.Callback;

/**
 * Handler of responses that are written without a body. It adds the contract's body to an
 * error: Spring Boot's actuator sends none if an endpoint does not find the requested
 * item. It removes {@code Content-Length} from a 204 or 304.
 */
final class EmptyResponseHandler extends Handler.Wrapper {

	private final ErrorResponseHandler errors;

	EmptyResponseHandler(ErrorResponseHandler errors) {
		this.errors = errors;
	}

	@Override
	public boolean handle(Request request, Response response, Callback callback) throws Exception {
		return super.handle(request, new BodilessResponse(request, response), callback);
	}

	private final class BodilessResponse extends Response.Wrapper {

		private boolean written;

		BodilessResponse(Request request, Response response) {
			super(request, response);
		}

		@Override
		public void write(boolean last, ByteBuffer content, Callback callback) {
			boolean empty = last && !written && BufferUtil.isEmpty(content);
			written = true;
			if (empty && getStatus() >= HttpStatus.BAD_REQUEST_400) {
				errors.write(GatewayError.ofStatus(getStatus()), getWrapped(), callback);
			}
			else if (empty && !PreparedResponse.hasLength(getStatus())) {
				getHeaders().remove(HttpHeader.CONTENT_LENGTH);
				super.write(false, content, callback);
			}
			else {
				super.write(last, content, callback);
			}
		}

	}

}
