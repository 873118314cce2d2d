package dev.comfygateway.upstream;

import dev.comfygateway.upstream.UpstreamFailure.Reason;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/** Timers of the requests to the upstream, one for each outcome. */
@Component
class AttemptTimers {

	private final MeterRegistry meters;

	private final Map<Label, Timer> timers = new EnumMap<>(Label.class);

	AttemptTimers(MeterRegistry meters) {
		this.meters = meters;
		for (Label label : Label.values()) {
			timers.put(label,
					Timer.builder("comfy.gateway.upstream.requests")
						.description("Attempts to get an answer from the upstream")
						.tag("outcome", label.name().toLowerCase(Locale.ROOT))
						.serviceLevelObjectives(Duration.ofMillis(25), Duration.ofMillis(50), Duration.ofMillis(100),
								Duration.ofMillis(250), Duration.ofMillis(500), Duration.ofSeconds(1),
								Duration.ofMillis(2500), Duration.ofSeconds(10))
						.register(meters));
		}
	}

	/** Times an attempt. A cancelled attempt has reached the deadline. */
	Mono<UpstreamOutcome> time(Mono<UpstreamOutcome> attempt) {
		return Mono.defer(() -> {
			Timer.Sample sample = Timer.start(meters);
			// Downstream operators can also cancel an attempt after it has completed
			AtomicBoolean counted = new AtomicBoolean();
			return attempt.doOnNext(outcome -> {
				if (counted.compareAndSet(false, true)) {
					sample.stop(timer(label(outcome)));
				}
			}).doOnCancel(() -> {
				if (counted.compareAndSet(false, true)) {
					sample.stop(timer(Label.TIMEOUT));
				}
			});
		});
	}

	private Timer timer(Label label) {
		return Objects.requireNonNull(timers.get(label));
	}

	private static Label label(UpstreamOutcome outcome) {
		return switch (outcome) {
			case UpstreamAnswer answered -> Label.OK;
			case UpstreamFailure failure -> label(failure.reason());
		};
	}

	private static Label label(Reason reason) {
		return switch (reason) {
			case UNAUTHORIZED -> Label.UNAUTHORIZED;
			case FORBIDDEN, BLOCKED -> Label.FORBIDDEN;
			case RATE_LIMITED -> Label.RATE_LIMITED;
			case INTERNAL_ERROR, UNAVAILABLE -> Label.SERVER_ERROR;
			case UNEXPECTED_STATUS -> Label.UNEXPECTED_STATUS;
			case INVALID_RESPONSE, RESPONSE_INCOMPLETE, PROTOCOL_ERROR -> Label.INVALID;
			case CONNECTION_REFUSED, CONNECTION_TERMINATED, TUNNEL_REFUSED, DNS_ERROR, TLS_PROTOCOL_ERROR,
					TLS_CERTIFICATE_ERROR ->
				Label.UNREACHABLE;
			case CONNECTION_TIMEOUT, RESPONSE_TIMEOUT -> Label.TIMEOUT;
		};
	}

	/** Values of the tag {@code outcome}. */
	private enum Label {

		OK, UNAUTHORIZED, FORBIDDEN, RATE_LIMITED, SERVER_ERROR, UNEXPECTED_STATUS, INVALID, UNREACHABLE, TIMEOUT

	}

}
