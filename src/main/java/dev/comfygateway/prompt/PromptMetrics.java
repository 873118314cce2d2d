package dev.comfygateway.prompt;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Component;

/** Counts of what callers were answered. */
@Component
class PromptMetrics {

	private final MeterRegistry meters;

	private final Map<Result, Counter> results = new EnumMap<>(Result.class);

	private final Map<String, Map<Integer, Timer>> timers = Map.of("GET", new ConcurrentHashMap<>(), "HEAD",
			new ConcurrentHashMap<>(), "OPTIONS", new ConcurrentHashMap<>());

	PromptMetrics(MeterRegistry meters) {
		this.meters = meters;
		for (Result result : Result.values()) {
			results.put(result,
					Counter.builder("comfy.gateway.requests")
						.description("Requests for /api/prompt by how they were answered")
						.tag("result", result.name().toLowerCase(Locale.ROOT))
						.register(meters));
		}
	}

	void count(Result result) {
		Objects.requireNonNull(results.get(result)).increment();
	}

	/**
	 * Records in Boot's own {@code http.server.requests} what Boot's filter does not see.
	 */
	void time(String method, int status, long nanos) {
		timer(method, status).record(nanos, TimeUnit.NANOSECONDS);
	}

	/** The one of Boot's own that counts and times such an answer. */
	Timer timer(String method, int status) {
		return Objects.requireNonNull(timers.get(method)).computeIfAbsent(status, first -> register(method, first));
	}

	private Timer register(String method, int status) {
		HttpStatus.Series series = HttpStatus.Series.valueOf(status);
		return Timer.builder("http.server.requests")
			.tag("error", "none")
			.tag("exception", "none")
			.tag("method", method)
			.tag("outcome", series == HttpStatus.Series.SUCCESSFUL ? "SUCCESS" : series.name())
			.tag("status", Integer.toString(status))
			.tag("uri", PromptController.PATH)
			.register(meters);
	}

	/** How a request was answered. */
	enum Result {

		HIT, MISS, COLLAPSED, STALE, NOT_MODIFIED, ERROR

	}

}
