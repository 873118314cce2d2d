package dev.comfygateway.chart;

import dev.comfygateway.chart.Chart.Manifests;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;

/** Tests of the pod: its probes, its termination, and additions to it. */
class ChartPodTests {

	private static final JsonMapper JSON = new JsonMapper();

	@ParameterizedTest
	@CsvSource({ "startupProbe, /actuator/health/liveness, management",
			"livenessProbe, /actuator/health/liveness, management", "readinessProbe, /readyz, http" })
	void probeUsesItsPort(String probe, String path, String port) {
		assertThat(Chart.render().container().at("/" + probe + "/httpGet"))
			.isEqualTo(JSON.readTree("{\"path\": \"%s\", \"port\": \"%s\"}".formatted(path, port)));
	}

	@Test
	void probeWhenTimingIsGivenUsesIt() {
		JsonNode container = Chart
			.render("startupProbe.failureThreshold=120", "livenessProbe.periodSeconds=30",
					"readinessProbe.initialDelaySeconds=2")
			.container();
		assertThat(container.at("/startupProbe/failureThreshold").asInt()).isEqualTo(120);
		assertThat(container.at("/livenessProbe/periodSeconds").asInt()).isEqualTo(30);
		assertThat(container.at("/livenessProbe/timeoutSeconds").asInt()).isEqualTo(3);
		assertThat(container.at("/readinessProbe/initialDelaySeconds").asInt()).isEqualTo(2);
	}

	/**
	 * 67 s: the maximum deadline of 60 s, 2 s that the gateway adds, and 5 s to exit.
	 */
	@ParameterizedTest
	@CsvSource({ "5, 2500ms, 72", "20, 60s, 87" })
	void gracePeriodCoversPreStopAndTheMaximumFetchTime(int preStop, String deadline, int grace) {
		Manifests manifests = Chart.render("preStopSeconds=" + preStop, "settings.comfy\\.deadline=" + deadline);
		assertThat(manifests.container().at("/lifecycle"))
			.isEqualTo(JSON.readTree("{\"preStop\": {\"sleep\": {\"seconds\": %s}}}".formatted(preStop)));
		assertThat(manifests.pod().at("/spec/terminationGracePeriodSeconds").asInt()).isEqualTo(grace);
	}

	@Test
	void userWhenAssignedByTheClusterIsOmitted() {
		Manifests manifests = Chart.render(Chart.DIRECTORY.resolve("ci/openshift-values.yaml"));
		assertThat(List.of(manifests.pod(), manifests.only("Pod")))
			.allSatisfy(pod -> assertThat(pod.at("/spec/securityContext")).isEqualTo(
					JSON.readTree("{\"runAsNonRoot\": true, \"seccompProfile\": {\"type\": \"RuntimeDefault\"}}")));
	}

	@Test
	void extrasAreAddedToThePod() {
		Manifests manifests = Chart.render(Chart.DIRECTORY.resolve("ci/everything-values.yaml"));
		JsonNode pod = manifests.pod().at("/spec");
		assertThat(manifests.container().at("/env").valueStream().map(JsonNode::toString)).contains(
				"{\"name\":\"JAVA_TOOL_OPTIONS\",\"value\":\"-Dhttps.proxyHost=proxy.example.com -Dhttps.proxyPort=3128\"}",
				"{\"name\":\"NODE_NAME\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"spec.nodeName\"}}}");
		assertThat(manifests.container().at("/args")).isEqualTo(JSON.readTree("[\"--debug\"]"));
		assertThat(names(pod.at("/volumes"))).containsExactly("key", "fleet-ca", "tmp", "authorities");
		assertThat(names(manifests.container().at("/volumeMounts"))).containsExactly("key", "fleet-ca", "tmp",
				"authorities");
		assertThat(pod.at("/priorityClassName").asString()).isEqualTo("production");
		assertThat(manifests.only("Deployment").at("/spec/revisionHistoryLimit").asInt()).isEqualTo(3);
	}

	@Test
	void spreadConstraintWhenSelectorIsGivenUsesIt() {
		JsonNode spread = Chart.render(Chart.DIRECTORY.resolve("ci/everything-values.yaml"))
			.pod()
			.at("/spec/topologySpreadConstraints");
		assertThat(spread).isEqualTo(JSON.readTree("""
				[{"maxSkew": 1, "topologyKey": "example.com/rack", "whenUnsatisfiable": "DoNotSchedule",
					"labelSelector": {"matchLabels": {"example.com/team": "comfy"}}}]"""));
	}

	private static List<String> names(JsonNode named) {
		return named.valueStream().map(it -> it.at("/name").asString()).toList();
	}

}
