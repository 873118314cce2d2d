package dev.comfygateway.error;

import dev.comfygateway.upstream.UpstreamFailure;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import tools.jackson.databind.json.JsonMapper;

/**
 * Response to a caller for a failure: status, body and {@code Proxy-Status}.
 *
 * @param status HTTP status
 * @param code the gateway's own code
 * @param body body of the response, which can contain the upstream's code and message
 * instead
 * @param proxyStatus parameter of {@code Proxy-Status} (RFC 9209)
 */
public record GatewayError(int status, String code, ErrorResponse body, String proxyStatus) {

	/** Response header field of RFC 9209. */
	public static final String PROXY_STATUS = "Proxy-Status";

	/**
	 * Challenge that a 401 response must contain (RFC 9110 section 15.5.2). Its scheme is
	 * not registered, since callers have no key: for a known scheme, browsers prompt for
	 * a password and clients send credentials.
	 */
	private static final String CHALLENGE = "Gateway-Key realm=\"%s\"";

	/**
	 * Codes that only the gateway sends. An identical code from the upstream is replaced.
	 */
	private static final Set<String> RESERVED = Stream
		.of(tooManyWaiting(), tooManyListeners(), notCached(), ofStatus(HttpStatus.SERVICE_UNAVAILABLE.value()))
		.map(GatewayError::code)
		.collect(Collectors.toUnmodifiableSet());

	private static final JsonMapper json = new JsonMapper();

	/** Creates the response for a failure of the upstream. */
	public static GatewayError of(UpstreamFailure failure) {
		return switch (failure.reason()) {
			case UNAUTHORIZED ->
				// The upstream's message is omitted: it can ask for a new key, which
				// callers do not have
				fromUpstream(401, "UNAUTHORIZED",
						"The upstream refuses the gateway's key. Only the gateway's operator can replace it.",
						failure.code(), null, failure);
			case RATE_LIMITED ->
				fromUpstream(429, "RATE_LIMITED", "The upstream has rate-limited the gateway.", failure);
			case INTERNAL_ERROR -> fromUpstream(500, "INTERNAL_ERROR", "The upstream failed.", failure);
			case UNAVAILABLE ->
				fromUpstream(failure.status(), "UPSTREAM_UNAVAILABLE", "The upstream is unavailable.", failure);
			case BLOCKED -> fromGateway(502, "UPSTREAM_BLOCKED",
					"A firewall in front of the upstream blocked the request.", "received-status=403");
			case FORBIDDEN, UNEXPECTED_STATUS ->
				// The status differs from the upstream's, so the upstream's code is
				// omitted
				fromUpstream(502, "UPSTREAM_UNEXPECTED_STATUS",
						"The upstream responded with a status that its contract does not define.", null,
						failure.message(), failure);
			case INVALID_RESPONSE -> fromGateway(502, "UPSTREAM_INVALID_RESPONSE",
					"The upstream's response does not conform to its contract.", "received-status=200");
			case RESPONSE_INCOMPLETE -> fromGateway(502, "UPSTREAM_INVALID_RESPONSE",
					"The upstream's response was truncated.", "error=http_response_incomplete");
			case PROTOCOL_ERROR -> fromGateway(502, "UPSTREAM_INVALID_RESPONSE",
					"The upstream's response is not valid HTTP.", "error=http_protocol_error");
			case CONNECTION_REFUSED -> unreachable("connection_refused");
			case CONNECTION_TERMINATED -> unreachable("connection_terminated");
			case TUNNEL_REFUSED -> unreachable("http_request_denied");
			case DNS_ERROR -> unreachable("dns_error");
			case TLS_PROTOCOL_ERROR -> unreachable("tls_protocol_error");
			case TLS_CERTIFICATE_ERROR -> unreachable("tls_certificate_error");
			case CONNECTION_TIMEOUT -> timeout("connection_timeout");
			case RESPONSE_TIMEOUT -> timeout("http_response_timeout");
		};
	}

	/**
	 * Creates the response to a caller with {@code only-if-cached}, if no stored answer
	 * may be served.
	 */
	public static GatewayError notCached() {
		return fromGateway(504, "NOT_CACHED", "The cache has no usable answer, and the request has only-if-cached.",
				"error=proxy_internal_response");
	}

	/**
	 * Creates the response to a caller if {@code gateway.max-waiting} callers are already
	 * waiting, the heap limit is reached, or the queue of a {@code Bulkhead} is too long.
	 */
	public static GatewayError tooManyWaiting() {
		return fromGateway(503, "TOO_MANY_WAITING", "Too many callers are already waiting.",
				"error=connection_limit_reached");
	}

	/**
	 * Creates the response to a caller if {@code gateway.events.max-listeners} listeners
	 * are already connected, or the heap limit is reached.
	 */
	public static GatewayError tooManyListeners() {
		return fromGateway(503, "TOO_MANY_LISTENERS", "Too many listeners are already connected.",
				"error=connection_limit_reached");
	}

	/** Creates the response for an unexpected exception in the gateway. */
	public static GatewayError bug() {
		return ofStatus(500);
	}

	/**
	 * Creates the response for a request that the server itself rejects or fails to
	 * handle. A 503 becomes {@code SHUTTING_DOWN}; for 503 with another cause, use
	 * {@link #tooManyWaiting} or {@link #tooManyListeners}.
	 */
	public static GatewayError ofStatus(int status) {
		HttpStatus standard = HttpStatus.resolve(status);
		if (standard == null || standard == HttpStatus.INTERNAL_SERVER_ERROR) {
			return fromGateway(500, "INTERNAL_ERROR", "The gateway failed.", "error=proxy_internal_error");
		}
		if (standard == HttpStatus.SERVICE_UNAVAILABLE) {
			return fromGateway(503, "SHUTTING_DOWN", "The gateway is shutting down.", "error=proxy_internal_response");
		}
		return fromGateway(status, standard.name(), "%s.".formatted(standard.getReasonPhrase()),
				"error=http_request_error");
	}

	/**
	 * Returns the reason as in {@code Proxy-Status}: the token of {@code error}, or the
	 * upstream's status.
	 */
	public String reason() {
		return proxyStatus.substring(proxyStatus.indexOf('=') + 1);
	}

	private static GatewayError unreachable(String error) {
		return fromGateway(502, "UPSTREAM_UNREACHABLE", "The upstream cannot be reached.", "error=" + error);
	}

	private static GatewayError timeout(String error) {
		return fromGateway(504, "UPSTREAM_TIMEOUT", "The upstream did not respond in time.", "error=" + error);
	}

	private static GatewayError fromGateway(int status, String code, String message, String proxyStatus) {
		return new GatewayError(status, code, new ErrorResponse(code, message), proxyStatus);
	}

	private static GatewayError fromUpstream(int status, String code, String message, UpstreamFailure failure) {
		return fromUpstream(status, code, message, failure.code(), failure.message(), failure);
	}

	private static GatewayError fromUpstream(int status, String code, String message, @Nullable String upstreamCode,
			@Nullable String upstreamMessage, UpstreamFailure failure) {
		ErrorResponse body = new ErrorResponse(
				upstreamCode == null || RESERVED.contains(upstreamCode) ? code : upstreamCode,
				Objects.requireNonNullElse(upstreamMessage, message));
		return new GatewayError(status, code, body, "received-status=" + failure.status());
	}

	/**
	 * Renders the response.
	 * @param gatewayName the gateway's name in {@code Proxy-Status}
	 * @param retryAfterSeconds whole seconds for {@code Retry-After}; 0 to omit it
	 */
	public ResponseEntity<byte[]> render(String gatewayName, long retryAfterSeconds) {
		byte[] bytes = json.writeValueAsBytes(body);
		ResponseEntity.BodyBuilder response = ResponseEntity.status(status)
			.header(HttpHeaders.CACHE_CONTROL, "no-store")
			.header(PROXY_STATUS, gatewayName + "; " + proxyStatus);
		if (status == HttpStatus.UNAUTHORIZED.value()) {
			response.header(HttpHeaders.WWW_AUTHENTICATE, CHALLENGE.formatted(gatewayName));
		}
		if (retryAfterSeconds > 0) {
			response.header(HttpHeaders.RETRY_AFTER, Long.toString(retryAfterSeconds));
		}
		return response.contentType(MediaType.APPLICATION_JSON).contentLength(bytes.length).body(bytes);
	}
}
