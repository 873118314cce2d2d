package dev.comfygateway.cache;

import dev.comfygateway.upstream.ComfyCloudClient;
import dev.comfygateway.upstream.KeyFileState;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.stereotype.Component;

/**
 * Gauges of the queue, the upstream and the key. Four of them are absent while their
 * value is unknown, so that an autoscaler does not act on an old queue length, zero or
 * NaN. Micrometer does not support absent gauges: these four are registered with the
 * Prometheus client.
 */
@Component
class UpstreamGauges implements MultiCollector {

	private static final double NANOS = TimeUnit.SECONDS.toNanos(1);

	private static final String QUEUE_REMAINING = "comfy_gateway_queue_remaining";

	private static final String OBSERVED = "comfy_gateway_queue_observed_timestamp_seconds";

	private static final String QUEUE_KNOWN = "comfy_gateway_queue_known";

	private static final String UP = "comfy_gateway_upstream_up";

	private final PromptCache cache;

	private final ComfyCloudClient client;

	private final InstantSource clock;

	UpstreamGauges(PromptCache cache, ComfyCloudClient client, InstantSource clock, MeterRegistry meters,
			ObjectProvider<PrometheusRegistry> prometheus) {
		this.cache = cache;
		this.client = client;
		this.clock = clock;
		Gauge.builder("comfy.gateway.upstream.cooldown", this, UpstreamGauges::cooldownSeconds)
			.description("Time left until the next upstream request is allowed")
			.baseUnit("seconds")
			.register(meters);
		Gauge.builder("comfy.gateway.upstream.deprecated", cache, c -> c.status().deprecation().isPresent() ? 1 : 0)
			.description("Whether the last good answer announced the end of the API")
			.register(meters);
		keyState("ok", () -> !cache.status().keyRefused() && !isKeyUnreadable(), meters);
		keyState("rejected", () -> cache.status().keyRefused(), meters);
		keyState("unreadable", this::isKeyUnreadable, meters);
		prometheus.ifAvailable(registry -> registry.register(this));
	}

	private double cooldownSeconds() {
		return cache.status()
			.nextAttemptAt()
			.map(end -> Math.max(0, Duration.between(clock.instant(), end).toNanos() / NANOS))
			.orElse(0.0);
	}

	private boolean isKeyUnreadable() {
		return client.keyFile().filter(KeyFileState.UNREADABLE::equals).isPresent();
	}

	private static void keyState(String state, BooleanSupplier is, MeterRegistry meters) {
		Gauge.builder("comfy.gateway.api.key.state", () -> is.getAsBoolean() ? 1 : 0)
			.description("State of the shared key")
			.tag("state", state)
			.register(meters);
	}

	@Override
	public MetricSnapshots collect() {
		UpstreamStatus status = cache.status();
		MetricSnapshots.Builder known = MetricSnapshots.builder();
		status.observed().ifPresent(observed -> {
			Long remaining = observed.promptInfo().remaining();
			if (remaining != null) {
				known.metricSnapshot(gauge(QUEUE_REMAINING, "Items remaining in the queue", remaining));
			}
			known.metricSnapshot(gauge(OBSERVED, "Time at which the queue was observed",
					observed.observedAt().toEpochMilli() / 1000.0));
		});
		status.queueKnown()
			.ifPresent(is -> known
				.metricSnapshot(gauge(QUEUE_KNOWN, "Whether the last good answer had a queue length", is ? 1 : 0)));
		status.up().ifPresent(up -> known.metricSnapshot(gauge(UP, "Whether the last request succeeded", up ? 1 : 0)));
		return known.build();
	}

	private static GaugeSnapshot gauge(String name, String help, double value) {
		return GaugeSnapshot.builder()
			.name(name)
			.help(help)
			.dataPoint(GaugeDataPointSnapshot.builder().value(value).build())
			.build();
	}

}
