package dev.comfygateway.chart;

import dev.comfygateway.chart.Chart.Manifests;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;

/** Tests of the number of pods, and of memory and CPU. */
class ChartScalingTests {

	private static final JsonMapper JSON = new JsonMapper();

	@Test
	void replicasWhenAutoscaledAreOmitted() {
		Manifests manifests = Chart.render(Chart.DIRECTORY.resolve("ci/autoscaled-values.yaml"));
		assertThat(manifests.only("Deployment").at("/spec").has("replicas")).isFalse();
		JsonNode autoscaler = manifests.only("HorizontalPodAutoscaler").at("/spec");
		assertThat(autoscaler.at("/scaleTargetRef")).isEqualTo(JSON.readTree("""
				{"apiVersion": "apps/v1", "kind": "Deployment", "name": "gw-comfy-gateway"}"""));
		assertThat(autoscaler.at("/minReplicas").asInt()).isEqualTo(3);
		assertThat(autoscaler.at("/maxReplicas").asInt()).isEqualTo(10);
	}

	@Test
	void autoscalerUsesCpuAndWaitingCallers() {
		JsonNode autoscaler = Chart.render(Chart.DIRECTORY.resolve("ci/autoscaled-values.yaml"))
			.only("HorizontalPodAutoscaler")
			.at("/spec");
		assertThat(autoscaler.at("/metrics")).isEqualTo(JSON.readTree("""
				[{"type": "Resource", "resource": {"name": "cpu", "target":
					{"type": "Utilization", "averageUtilization": 60}}},
				{"type": "Pods", "pods": {"metric": {"name": "comfy_gateway_callers_waiting"}, "target":
					{"type": "AverageValue", "averageValue": "200"}}}]"""));
		assertThat(autoscaler.at("/behavior"))
			.isEqualTo(JSON.readTree("{\"scaleDown\": {\"stabilizationWindowSeconds\": 600}}"));
	}

	@Test
	void autoscalerWhenCpuIsNullUsesOnlyTheOtherMetrics() {
		JsonNode metrics = Chart
			.render("autoscaling.enabled=true", "autoscaling.targetCPUUtilizationPercentage=null",
					"autoscaling.metrics[0].type=Pods", "autoscaling.metrics[0].pods.metric.name=x",
					"autoscaling.metrics[0].pods.target.type=AverageValue")
			.only("HorizontalPodAutoscaler")
			.at("/spec/metrics");
		assertThat(metrics).hasSize(1);
		assertThat(metrics.at("/0/type").asString()).isEqualTo("Pods");
	}

	@Test
	void memoryIsSufficientForTheProcess() {
		assertThat(Chart.render().container().at("/resources/limits/memory").asString()).isEqualTo("256Mi");
	}

	@ParameterizedTest
	@ValueSource(strings = { "128Mi", "0.5Gi", "134217728", "1e9", "200000Ki" })
	void memoryWhenAPodStartsIsAccepted(String limit) {
		assertThat(Chart.render("resources.limits.memory=" + limit).container().at("/resources/limits").has("memory"))
			.isTrue();
	}

	@ParameterizedTest
	@ValueSource(strings = { "64Mi", "99M", "65536Ki", "67108864" })
	void memoryWhenNoPodStartsIsRejected(String limit) {
		assertThatException().isThrownBy(() -> Chart.render("resources.limits.memory=" + limit))
			.withMessageContaining("resources.limits.memory is " + limit);
	}

	@Test
	void memoryLimitWhenRemovedIsAbsent() {
		assertThat(Chart.render("resources.limits.memory=null").container().at("/resources/limits").has("memory"))
			.isFalse();
	}

}
