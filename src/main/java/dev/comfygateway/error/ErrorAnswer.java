package dev.comfygateway.error;

import dev.comfygateway.upstream.UpstreamFailure;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import tools.jackson.databind.json.JsonMapper;

/**
 * Failure as it is answered.
 *
 * @param status HTTP status
 * @param code the gateway's own code
 * @param body what the caller reads, which may have the upstream's code and message
 * instead
 * @param proxyStatus parameters of {@code Proxy-Status} (RFC 9209)
 */
public record ErrorAnswer(int status, String code, ErrorResponse body, String proxyStatus) {

	private static final JsonMapper json = new JsonMapper();

	/** Answer for a failure of the upstream. */
	public static ErrorAnswer of(UpstreamFailure failure) {
		return switch (failure.reason()) {
			case UNAUTHORIZED ->
				// Never the upstream's message, which would tell callers to mend a key
				// they do not have
				told(401, "UNAUTHORIZED",
						"The upstream refuses the gateway's key; the gateway's operator"
								+ " must replace it, its callers can do nothing about it.",
						failure.code(), null, failure);
			case RATE_LIMITED -> told(429, "RATE_LIMITED", "The upstream limits the rate of requests.", failure);
			case INTERNAL_ERROR -> told(500, "INTERNAL_ERROR", "The upstream failed.", failure);
			case UNAVAILABLE -> told(failure.status(), "UPSTREAM_UNAVAILABLE", "The upstream is unavailable.", failure);
			case FORBIDDEN, UNEXPECTED_STATUS -> told(502, "UPSTREAM_UNEXPECTED_STATUS",
					"The upstream answered with a status that its contract does not have.", failure);
			case INVALID_RESPONSE -> own(502, "UPSTREAM_INVALID_RESPONSE",
					"The upstream's answer does not follow its contract.", "received-status=200");
			case RESPONSE_INCOMPLETE -> own(502, "UPSTREAM_INVALID_RESPONSE", "The upstream's answer was cut off.",
					"error=http_response_incomplete");
			case PROTOCOL_ERROR -> own(502, "UPSTREAM_INVALID_RESPONSE", "The upstream's answer is not HTTP.",
					"error=http_protocol_error");
			case CONNECTION_REFUSED -> unreachable("connection_refused");
			case CONNECTION_TERMINATED -> unreachable("connection_terminated");
			case DNS_ERROR -> unreachable("dns_error");
			case TLS_PROTOCOL_ERROR -> unreachable("tls_protocol_error");
			case TLS_CERTIFICATE_ERROR -> unreachable("tls_certificate_error");
			case CONNECTION_TIMEOUT -> timeout("connection_timeout");
			case RESPONSE_TIMEOUT -> timeout("http_response_timeout");
		};
	}

	/**
	 * Answer to a caller who wants no request to be made, where there is nothing to
	 * serve.
	 */
	public static ErrorAnswer notCached() {
		return own(504, "NOT_CACHED", "No answer is cached, and the caller wanted no request for one.",
				"error=proxy_internal_response");
	}

	/** Answer to a caller who would be one too many to wait for the upstream. */
	public static ErrorAnswer tooManyWait() {
		return own(503, "SERVICE_UNAVAILABLE", "Too many callers wait for the upstream already.",
				"error=proxy_internal_response");
	}

	/** Answer for a bug of the gateway. */
	public static ErrorAnswer bug() {
		return ofStatus(500);
	}

	/** Answer for what the server itself refuses, or fails to do. */
	public static ErrorAnswer ofStatus(int status) {
		HttpStatus standard = HttpStatus.resolve(status);
		if (standard == null || standard == HttpStatus.INTERNAL_SERVER_ERROR) {
			return own(500, "INTERNAL_ERROR", "The gateway failed.", "error=proxy_internal_error");
		}
		return own(status, standard.name(), "%s.".formatted(standard.getReasonPhrase()),
				standard == HttpStatus.SERVICE_UNAVAILABLE ? "error=proxy_internal_response"
						: "error=http_request_error");
	}

	private static ErrorAnswer unreachable(String error) {
		return own(502, "UPSTREAM_UNREACHABLE", "The upstream cannot be reached.", "error=" + error);
	}

	private static ErrorAnswer timeout(String error) {
		return own(504, "UPSTREAM_TIMEOUT", "The upstream did not answer in time.", "error=" + error);
	}

	private static ErrorAnswer own(int status, String code, String message, String proxyStatus) {
		return new ErrorAnswer(status, code, new ErrorResponse(code, message), proxyStatus);
	}

	private static ErrorAnswer told(int status, String code, String message, UpstreamFailure failure) {
		return told(status, code, message, failure.code(), failure.message(), failure);
	}

	private static ErrorAnswer told(int status, String code, String message, @Nullable String theirCode,
			@Nullable String theirMessage, UpstreamFailure failure) {
		ErrorResponse body = new ErrorResponse(Objects.requireNonNullElse(theirCode, code),
				Objects.requireNonNullElse(theirMessage, message));
		return new ErrorAnswer(status, code, body, "received-status=" + failure.status());
	}

	/**
	 * Writes the answer.
	 * @param gatewayName the gateway's name in {@code Proxy-Status}
	 * @param retryAfterSeconds whole seconds for {@code Retry-After}; 0 for none
	 */
	public void writeTo(HttpServletResponse response, String gatewayName, long retryAfterSeconds) throws IOException {
		byte[] bytes = json.writeValueAsBytes(body);
		response.setStatus(status);
		response.setContentType(MediaType.APPLICATION_JSON_VALUE);
		response.setContentLength(bytes.length);
		response.setHeader(HttpHeaders.CACHE_CONTROL, "no-store");
		response.setHeader("Proxy-Status", gatewayName + "; " + proxyStatus);
		if (retryAfterSeconds > 0) {
			response.setHeader(HttpHeaders.RETRY_AFTER, Long.toString(retryAfterSeconds));
		}
		response.getOutputStream().write(bytes);
	}
}
