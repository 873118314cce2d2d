package dev.comfygateway.web;

import dev.comfygateway.error.ErrorAnswer;
import dev.comfygateway.upstream.UpstreamFailure;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.springframework.http.HttpStatus;

/**
 * Error that a caller of {@code /api/prompt} can meet, made by the same code that answers
 * with it.
 *
 * @param situation what went wrong, as the name of an example
 * @param answer what the caller gets
 * @param retryAfter whether the caller is told when to ask again
 */
record DocumentedError(String situation, ErrorAnswer answer, boolean retryAfter) {

	private static final int NO_STATUS = 0;

	private static final int NOT_IN_CONTRACT = 404;

	/** Statuses that the server itself answers with. */
	private static final int[] OF_SERVER = { 400, 404, 405, 414, 417, 431, 501, 505 };

	/** Every error there is. */
	static List<DocumentedError> all() {
		Stream<DocumentedError> upstream = Arrays.stream(Reason.values())
			.flatMap(reason -> statuses(reason).mapToObj(status -> ofUpstream(reason, status)));
		Stream<DocumentedError> gateway = Stream.of(
				new DocumentedError("too_many_waiting", ErrorAnswer.tooManyWaiting(), true),
				new DocumentedError("shutting_down", ErrorAnswer.ofStatus(503), true),
				new DocumentedError("not_cached", ErrorAnswer.notCached(), false),
				new DocumentedError("gateway_failed", ErrorAnswer.bug(), false));
		Stream<DocumentedError> server = Arrays.stream(OF_SERVER).mapToObj(DocumentedError::ofServer);
		return Stream.of(upstream, gateway, server).flatMap(errors -> errors).toList();
	}

	private static DocumentedError ofUpstream(Reason reason, int status) {
		UpstreamFailure failure = new UpstreamFailure(reason, status, null, null, null, 0);
		return new DocumentedError("upstream_" + reason.name().toLowerCase(Locale.ROOT), ErrorAnswer.of(failure), true);
	}

	private static DocumentedError ofServer(int status) {
		return new DocumentedError(HttpStatus.valueOf(status).name().toLowerCase(Locale.ROOT),
				ErrorAnswer.ofStatus(status), false);
	}

	/** Statuses of the upstream that are this failure. */
	private static IntStream statuses(Reason reason) {
		return switch (reason) {
			case UNAUTHORIZED -> IntStream.of(401);
			case FORBIDDEN, BLOCKED -> IntStream.of(403);
			case RATE_LIMITED -> IntStream.of(429);
			case INTERNAL_ERROR -> IntStream.of(500);
			case UNAVAILABLE -> IntStream.of(502, 503, 504);
			case UNEXPECTED_STATUS -> IntStream.of(NOT_IN_CONTRACT);
			case INVALID_RESPONSE -> IntStream.of(200);
			case RESPONSE_INCOMPLETE, PROTOCOL_ERROR, CONNECTION_REFUSED, CONNECTION_TERMINATED, TUNNEL_REFUSED,
					DNS_ERROR, TLS_PROTOCOL_ERROR, TLS_CERTIFICATE_ERROR, CONNECTION_TIMEOUT, RESPONSE_TIMEOUT ->
				IntStream.of(NO_STATUS);
		};
	}

}
