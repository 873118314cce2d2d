package dev.comfygateway.error;

import java.io.IOException;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.valves.ErrorReportValve;
import org.apache.coyote.ActionCode;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;

/**
 * Report of every failure that nothing else has told: what Spring MVC does not know, and
 * what Tomcat refuses before there is a request that Spring could see. Without it Tomcat
 * would answer with a page of HTML.
 */
class ErrorValve extends ErrorReportValve {

	private static final int SHORTEST_RETRY_AFTER = 1;

	private final String gatewayName;

	ErrorValve(String gatewayName) {
		this.gatewayName = gatewayName;
	}

	@Override
	protected void report(Request request, Response response, @Nullable Throwable throwable) {
		if (response.getStatus() < 400 || response.getContentWritten() > 0) {
			return;
		}
		response.setErrorReported();
		ErrorAnswer answer = ErrorAnswer.ofStatus(response.getStatus());
		try {
			response.resetBuffer();
			if (answer.status() == 405) {
				// All there is can be read and only that
				response.setHeader(HttpHeaders.ALLOW, "GET, HEAD, OPTIONS");
			}
			answer.writeTo(response, gatewayName, answer.status() == 503 ? SHORTEST_RETRY_AFTER : 0);
			response.finishResponse();
		}
		catch (IOException | IllegalStateException ignored) {
			// The caller is gone
			response.getCoyoteResponse().action(ActionCode.CLOSE_NOW, null);
		}
	}

}
