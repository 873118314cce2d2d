package dev.comfygateway.server;

import dev.comfygateway.log.UnexpectedExceptionLog;
import dev.comfygateway.error.GatewayError;
import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.NestedExceptionUtils;

/**
 * Error handler for failures without a response, such as requests that match no
 * controller or that Jetty cannot parse. Jetty's own error handler would send an HTML
 * page.
 */
final class ErrorResponseHandler implements Request.Handler {

	/**
	 * Status for HTTP/2 with prior knowledge on a port without HTTP/2. Jetty would send
	 * 426, which requires an {@code Upgrade} field, and there is no protocol to name.
	 */
	private static final int HTTP_2_REJECTED = HttpStatus.HTTP_VERSION_NOT_SUPPORTED_505;

	private static final int MIN_RETRY_AFTER_SECONDS = 1;

	private static final Logger log = LoggerFactory.getLogger(ErrorResponseHandler.class);

	private final UnexpectedExceptionLog exceptions = new UnexpectedExceptionLog(log, "A request");

	private final String gatewayName;

	ErrorResponseHandler(String gatewayName) {
		this.gatewayName = gatewayName;
	}

	@Override
	public boolean handle(Request request, Response response, Callback callback) {
		// If Jetty rejected the request, the exception has the status
		Object cause = request.getAttribute(ErrorHandler.ERROR_EXCEPTION);
		int status = cause instanceof HttpException rejection ? rejection.getCode() : response.getStatus();
		if (status == 500 && cause instanceof Throwable unexpected && !Http2.isStreamClosed(request)) {
			exceptions.log(NestedExceptionUtils.getMostSpecificCause(unexpected));
		}
		write(GatewayError.ofStatus(status == HttpStatus.UPGRADE_REQUIRED_426 ? HTTP_2_REJECTED : status), response,
				callback);
		return true;
	}

	/** Writes an error response without blocking. */
	void write(GatewayError error, Response response, Callback callback) {
		if (error.status() == HttpStatus.METHOD_NOT_ALLOWED_405) {
			response.getHeaders().put(HttpHeader.ALLOW, MethodsHandler.METHODS);
		}
		else {
			// OPTIONS of an unknown path sets it to all methods that a servlet can have
			response.getHeaders().remove(HttpHeader.ALLOW);
		}
		PreparedResponse.of(error.render(gatewayName, error.status() == 503 ? MIN_RETRY_AFTER_SECONDS : 0))
			.write(response, callback);
	}

}
