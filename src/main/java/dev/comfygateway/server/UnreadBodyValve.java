package dev.comfygateway.server;

import jakarta.servlet.ServletException;
import java.io.IOException;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.valves.ValveBase;
import org.apache.coyote.ActionCode;
import org.apache.coyote.InputBuffer;
import org.apache.tomcat.util.net.ApplicationBufferHandler;
import org.springframework.http.HttpHeaders;

/**
 * Refusal to wait for a request's body. Nothing here has a use for one, but Tomcat holds
 * a thread until it has come, to find the next request behind it, and so does the
 * actuator, to read it: a few callers who promise a body and never send it would occupy
 * the server. So a body is taken for empty, and the connection ends with the answer.
 */
class UnreadBodyValve extends ValveBase {

	private static final InputBuffer EMPTY = new InputBuffer() {
		@Override
		public int doRead(ApplicationBufferHandler handler) {
			return -1;
		}

		@Override
		public int available() {
			return 0;
		}
	};

	UnreadBodyValve() {
		super(true);
	}

	@Override
	public void invoke(Request request, Response response) throws IOException, ServletException {
		if (!announcesBody(request)) {
			getNext().invoke(request, response);
			return;
		}
		// Enough where the answer comes later, on another thread
		response.setHeader(HttpHeaders.CONNECTION, "close");
		org.apache.coyote.Request exchange = request.getCoyoteRequest();
		InputBuffer body = exchange.getInputBuffer();
		exchange.setInputBuffer(EMPTY);
		try {
			getNext().invoke(request, response);
		}
		finally {
			// Tomcat keeps the object for requests to come
			exchange.setInputBuffer(body);
		}
		if (!request.isAsync()) {
			response.finishResponse();
			exchange.action(ActionCode.CLOSE_NOW, new IOException("A body is not waited for"));
		}
	}

	private static boolean announcesBody(Request request) {
		// Looked at as text, since what is no number has not been refused yet
		String length = request.getHeader(HttpHeaders.CONTENT_LENGTH);
		return (length != null && !length.equals("0")) || request.getHeader(HttpHeaders.TRANSFER_ENCODING) != null;
	}

}
