package dev.comfygateway.page;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.comfygateway.cache.Snapshot;
import dev.comfygateway.cache.UpstreamStatus;
import dev.comfygateway.error.GatewayError;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Public state of the gateway for the page, in the terms of the health endpoint.
 *
 * @param now time of the gateway's clock; a browser's clock can differ
 * @param pod name of the replica that sends this response
 * @param freshForSeconds time for which an answer is fresh
 * @param state {@code answering}, {@code failing}, {@code key refused} or
 * {@code not asked yet}
 * @param code code that callers receive; absent if the upstream answers
 * @param reason {@code error=} token of {@code Proxy-Status}, or the upstream's status
 * @param nextAttemptAt end of the cool-down; absent if there is none
 * @param lastGoodAt time of the last good answer, however old; absent if there is none
 * @param observedAt time of the answer that may still be served; absent if there is none
 * @param arrivedAt time of the arrival of that answer, from which it is fresh
 * @param queueRemaining number of that answer
 * @param requests requests for the prompt, without rejected ones
 * @param upstreamRequests requests to the upstream
 * @param savedRequests difference of these two numbers; zero if it is negative
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record PageStatus(Instant now, String pod, double freshForSeconds, String state, @Nullable String code,
		@Nullable String reason, @Nullable Instant nextAttemptAt, @Nullable Instant lastGoodAt,
		@Nullable Instant observedAt, @Nullable Instant arrivedAt, @Nullable Long queueRemaining, long requests,
		long upstreamRequests, long savedRequests) {

	static PageStatus of(UpstreamStatus status, Instant now, String pod, Duration freshFor, long requests,
			long upstreamRequests) {
		GatewayError failure = status.failure().map(GatewayError::of).orElse(null);
		Snapshot observed = status.observed().orElse(null);
		return new PageStatus(millis(now), pod, freshFor.toMillis() / 1000.0, status.state(),
				failure == null ? null : failure.body().code(), failure == null ? null : failure.reason(),
				millis(status.nextAttemptAt()), millis(status.lastGoodAt()),
				observed == null ? null : millis(observed.observedAt()),
				observed == null ? null : millis(observed.arrivedAt()),
				observed == null ? null : observed.promptInfo().remaining(), requests, upstreamRequests,
				// Retries and listeners can cause more upstream requests than there were
				// callers
				Math.max(0, requests - upstreamRequests));
	}

	private static @Nullable Instant millis(Optional<Instant> time) {
		return time.isEmpty() ? null : millis(time.get());
	}

	private static Instant millis(Instant time) {
		return time.truncatedTo(ChronoUnit.MILLIS);
	}

}
