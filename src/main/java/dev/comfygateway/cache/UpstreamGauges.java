package dev.comfygateway.cache;

import dev.comfygateway.upstream.KeyFileState;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.stereotype.Component;

/**
 * Gauges of the queue, the upstream and the key. Three of them are absent while their
 * value is unknown: an autoscaler must not take an old number, a zero or a NaN for the
 * queue. Micrometer has no absent gauges, so these are registered with Prometheus's own
 * client.
 */
@Component
class UpstreamGauges implements MultiCollector {

	private static final double NANOS = TimeUnit.SECONDS.toNanos(1);

	private static final String QUEUE_REMAINING = "comfy_gateway_queue_remaining";

	private static final String OBSERVED = "comfy_gateway_queue_observed_timestamp_seconds";

	private static final String UP = "comfy_gateway_upstream_up";

	private final PromptCache cache;

	UpstreamGauges(PromptCache cache, MeterRegistry meters, ObjectProvider<PrometheusRegistry> prometheus) {
		this.cache = cache;
		Gauge.builder("comfy.gateway.upstream.cooldown", cache, c -> c.status().cooldownNanos() / NANOS)
			.description("Time left until the upstream may be asked again")
			.baseUnit("seconds")
			.register(meters);
		Gauge.builder("comfy.gateway.upstream.deprecated", cache, c -> c.status().deprecated() ? 1 : 0)
			.description("Whether the last good answer announced the end of the API")
			.register(meters);
		keyState("ok", status -> !status.keyRefused() && !isUnreadable(status), meters);
		keyState("rejected", PromptCache.Status::keyRefused, meters);
		keyState("unreadable", UpstreamGauges::isUnreadable, meters);
		prometheus.ifAvailable(registry -> registry.register(this));
	}

	private static boolean isUnreadable(PromptCache.Status status) {
		return status.keyFile().filter(KeyFileState.UNREADABLE::equals).isPresent();
	}

	private void keyState(String state, Predicate<PromptCache.Status> is, MeterRegistry meters) {
		Gauge.builder("comfy.gateway.api.key.state", cache, c -> is.test(c.status()) ? 1 : 0)
			.description("State of the shared key")
			.tag("state", state)
			.register(meters);
	}

	@Override
	public MetricSnapshots collect() {
		PromptCache.Status status = cache.status();
		MetricSnapshots.Builder known = MetricSnapshots.builder();
		status.observed().ifPresent(observed -> {
			Long remaining = observed.promptInfo().remaining();
			if (remaining != null) {
				known.metricSnapshot(gauge(QUEUE_REMAINING, "Items remaining in the queue", remaining));
			}
			known.metricSnapshot(
					gauge(OBSERVED, "When the queue was observed", observed.observedAt().toEpochMilli() / 1000.0));
		});
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
