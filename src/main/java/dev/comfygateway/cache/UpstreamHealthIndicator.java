package dev.comfygateway.cache;

import dev.comfygateway.error.GatewayError;
import dev.comfygateway.upstream.ComfyCloudClient;
import dev.comfygateway.upstream.UpstreamFailure;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Optional;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.stereotype.Component;

/**
 * Health indicator of the upstream. It never sets the gateway's health to DOWN, since a
 * restart does not end an outage of the upstream.
 */
@Component
class UpstreamHealthIndicator implements HealthIndicator {

	/**
	 * Status that Spring Boot's aggregation ignores, since it is not in the configured
	 * order.
	 */
	private static final Status FAILING = new Status("FAILING");

	private final PromptCache cache;

	private final ComfyCloudClient client;

	private final Fleet fleet;

	UpstreamHealthIndicator(PromptCache cache, ComfyCloudClient client, Fleet fleet) {
		this.cache = cache;
		this.client = client;
		this.fleet = fleet;
	}

	@Override
	public Health health() {
		UpstreamStatus status = cache.status();
		Health.Builder health = new Health.Builder();
		if (status.up().isEmpty()) {
			health.unknown();
		}
		else if (status.failure().isEmpty()) {
			health.up();
		}
		else {
			UpstreamFailure failure = status.failure().get();
			GatewayError error = GatewayError.of(failure);
			health.status(FAILING).withDetail("code", error.body().code()).withDetail("reason", error.reason());
			failure.proxyStatus().ifPresent(refused -> health.withDetail("proxyStatus", refused));
			Optional.ofNullable(failure.detail()).ifPresent(detail -> health.withDetail("detail", detail));
		}
		health.withDetail("state", status.state());
		if (status.isAnsweringWithoutQueue()) {
			health.withDetail("queue", "absent");
		}
		status.deprecation().ifPresent(announced -> health.withDetail("deprecation", announced.toString()));
		status.lastGoodAt().ifPresent(at -> health.withDetail("lastGoodAt", at.truncatedTo(ChronoUnit.MILLIS)));
		status.nextAttemptAt().ifPresent(at -> health.withDetail("nextAttemptAt", at.truncatedTo(ChronoUnit.MILLIS)));
		client.keyFile().ifPresent(file -> health.withDetail("keyFile", file.name().toLowerCase(Locale.ROOT)));
		fleet.state().ifPresent(state -> health.withDetail("fleet", state));
		return health.build();
	}

}
