package dev.comfygateway.chart;

import dev.comfygateway.chart.Chart.Manifests;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;

/** Tests of how much there is: pods, memory and CPU. */
class ChartScalingTests {

	private static final JsonMapper JSON = new JsonMapper();

	@Test
	void replicasWhenAutoscaledAreTheAutoscalers() {
		Manifests manifests = Chart.render(Chart.DIRECTORY.resolve("ci/autoscaled-values.yaml"));
		assertThat(manifests.only("Deployment").at("/spec").has("replicas")).isFalse();
		JsonNode autoscaler = manifests.only("HorizontalPodAutoscaler").at("/spec");
		assertThat(autoscaler.at("/scaleTargetRef")).isEqualTo(JSON.readTree("""
				{"apiVersion": "apps/v1", "kind": "Deployment", "name": "gw-comfy-gateway"}"""));
		assertThat(autoscaler.at("/minReplicas").asInt()).isEqualTo(3);
		assertThat(autoscaler.at("/maxReplicas").asInt()).isEqualTo(10);
	}

	@Test
	void autoscalerFollowsCpuAndWaitingCallers() {
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
	void autoscalerWhenCpuIsNullFollowsTheRestAlone() {
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
	void autoscalerWhenItFollowsNothingIsRefused() {
		assertRefused("autoscaling.metrics", "autoscaling.enabled=true",
				"autoscaling.targetCPUUtilizationPercentage=null");
	}

	@Test
	void autoscalerWhenFewestAreMoreThanMostIsRefused() {
		assertRefused("autoscaling.minReplicas is 6, which is more than autoscaling.maxReplicas, 5",
				"autoscaling.enabled=true", "autoscaling.minReplicas=6");
	}

	@Test
	void memoryIsWhatTheProcessNeeds() {
		assertThat(Chart.render().container().at("/resources/limits/memory").asString()).isEqualTo("256Mi");
	}

	@ParameterizedTest
	@CsvSource({ "256Mi, 256Mi", "256Mi, 1Gi", "268435456, 268435456", "0.5Gi, 512Mi", "300M, 3e8", "100Mi, 256Mi" })
	void memoryWhenEnoughPasses(String request, String limit) {
		assertThat(Chart.render("resources.requests.memory=" + request, "resources.limits.memory=" + limit)
			.container()
			.at("/resources/limits/memory")
			.isMissingNode()).isFalse();
	}

	@ParameterizedTest
	@CsvSource({ "100Mi, 255Mi", "1Ki, 256M", "100Mi, 268435455", "1Mi, 0.2Gi" })
	void memoryWhenTooLittleIsRefused(String request, String limit) {
		assertRefused("the gateway needs 256Mi", "resources.requests.memory=" + request,
				"resources.limits.memory=" + limit);
	}

	@ParameterizedTest
	@CsvSource({ "memory, 1Gi, 512Mi", "memory, 600M, 512Mi", "cpu, 1, 500m", "cpu, 1.5, 1" })
	void limitWhenUnderTheRequestIsRefused(String name, String request, String limit) {
		assertRefused(
				"resources.limits.%s is %s, which is less than resources.requests.%s".formatted(name, limit, name),
				"resources.requests.%s=%s".formatted(name, request), "resources.limits.%s=%s".formatted(name, limit));
	}

	@ParameterizedTest
	@ValueSource(strings = { "256MB", "much", "-1", "256 Mi" })
	void memoryWhenNoQuantityIsRefused(String limit) {
		assertRefused("/resources/limits/memory", "resources.limits.memory=" + limit);
	}

	@Test
	void limitWhenTakenAwayIsNone() {
		assertThat(Chart.render("resources.limits.memory=null").container().at("/resources/limits").has("memory"))
			.isFalse();
	}

	private static void assertRefused(String named, String... values) {
		assertThatException().isThrownBy(() -> Chart.render(values)).withMessageContaining(named);
	}

}
