package dev.comfygateway.prompt;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.micrometer.observation.autoconfigure.ObservationProperties;
import org.springframework.http.HttpStatus;
import org.springframework.http.server.observation.ServerHttpObservationDocumentation.LowCardinalityKeyNames;
import org.springframework.stereotype.Component;

/** Metrics of the requests for {@code /api/prompt}. */
@Component
class PromptMetrics {

	private static final int STATUSES = 600;

	private final MeterRegistry meters;

	private final String name;

	private final Tags commonTags;

	private final Map<Result, Counter> results = new EnumMap<>(Result.class);

	/** Timers by status. */
	private final AtomicReferenceArray<@Nullable Timer> getTimers = new AtomicReferenceArray<>(STATUSES);

	private final AtomicReferenceArray<@Nullable Timer> headTimers = new AtomicReferenceArray<>(STATUSES);

	PromptMetrics(MeterRegistry meters, ObservationProperties observations) {
		this.meters = meters;
		this.name = observations.getHttp().getServer().getRequests().getName();
		this.commonTags = Tags.of(observations.getKeyValues()
			.entrySet()
			.stream()
			.map(entry -> Tag.of(entry.getKey(), entry.getValue()))
			.toList());
		for (Result result : Result.values()) {
			results.put(result,
					Counter.builder("comfy.gateway.requests")
						.description("Requests for /api/prompt by result")
						.tag("result", result.name().toLowerCase(Locale.ROOT))
						.register(meters));
		}
	}

	void count(Result result) {
		Objects.requireNonNull(results.get(result)).increment();
	}

	/**
	 * Returns the timer of Spring's {@code http.server.requests}, for requests that
	 * bypass Spring's filter. Its name and common tags follow
	 * {@code management.observations.*}.
	 * @param method {@code GET} or {@code HEAD}
	 * @param status HTTP status of the response
	 */
	Timer serverRequests(String method, int status) {
		AtomicReferenceArray<@Nullable Timer> timers = method.equals("HEAD") ? headTimers : getTimers;
		Timer timer = timers.get(status);
		if (timer == null) {
			// The registry returns the same timer to a concurrent caller
			timer = register(method, status);
			timers.set(status, timer);
		}
		return timer;
	}

	private Timer register(String method, int status) {
		HttpStatus.Series series = Objects.requireNonNull(HttpStatus.Series.resolve(status));
		return Timer.builder(name)
			.tags(commonTags)
			.tag("error", "none")
			.tag(LowCardinalityKeyNames.EXCEPTION.asString(), "none")
			.tag(LowCardinalityKeyNames.METHOD.asString(), method)
			.tag(LowCardinalityKeyNames.OUTCOME.asString(),
					series == HttpStatus.Series.SUCCESSFUL ? "SUCCESS" : series.name())
			.tag(LowCardinalityKeyNames.STATUS.asString(), Integer.toString(status))
			.tag(LowCardinalityKeyNames.URI.asString(), PromptController.PATH)
			.register(meters);
	}

	/** Values of the tag {@code result}. */
	enum Result {

		HIT, MISS, COLLAPSED, STALE, REJECTED, ERROR

	}

}
