package dev.comfygateway.cache;

import java.time.temporal.ChronoUnit;
import java.util.concurrent.TimeUnit;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.stereotype.Component;

/**
 * Upstream's state for operators. It never turns the whole unhealthy: callers must get an
 * outage of the upstream told, not the gateway taken away.
 */
@Component
class UpstreamHealthIndicator implements HealthIndicator {

	/** Unknown to Boot's order of statuses, so without influence on the whole. */
	private static final Status FAILING = new Status("FAILING");

	private final PromptCache cache;

	UpstreamHealthIndicator(PromptCache cache) {
		this.cache = cache;
	}

	@Override
	public Health health() {
		PromptCache.Status status = cache.status();
		Health.Builder health = new Health.Builder();
		if (status.up().isEmpty()) {
			health.unknown().withDetail("state", "not asked yet");
		}
		else if (status.up().get()) {
			health.up().withDetail("state", "answering");
		}
		else {
			health.status(FAILING).withDetail("state", status.keyRefused() ? "key refused" : "failing");
		}
		status.failure().ifPresent(failure -> health.withDetail("failure", failure.reason()));
		status.observed()
			.ifPresent(observed -> health.withDetail("lastGoodAgeSeconds",
					TimeUnit.NANOSECONDS.toSeconds(observed.ageNanos())));
		if (status.cooldownNanos() > 0) {
			health.withDetail("nextAttempt", status.nextAttempt().truncatedTo(ChronoUnit.MILLIS));
		}
		else {
			health.withDetail("nextAttempt", "when a caller needs it");
		}
		return health.build();
	}

}
