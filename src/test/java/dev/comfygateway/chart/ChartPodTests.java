package dev.comfygateway.chart;

import dev.comfygateway.chart.Chart.Manifests;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;

/** Tests of the pod: its probes, its end, and what can be added to it. */
class ChartPodTests {

	private static final JsonMapper JSON = new JsonMapper();

	@ParameterizedTest
	@CsvSource({ "startupProbe, /actuator/health/liveness, management",
			"livenessProbe, /actuator/health/liveness, management", "readinessProbe, /readyz, http" })
	void probeAsksItsPort(String probe, String path, String port) {
		assertThat(Chart.render().container().at("/" + probe + "/httpGet"))
			.isEqualTo(JSON.readTree("{\"path\": \"%s\", \"port\": \"%s\"}".formatted(path, port)));
	}

	@Test
	void probeWhenTimesAreGivenHasThem() {
		JsonNode container = Chart
			.render("startupProbe.failureThreshold=120", "livenessProbe.periodSeconds=30",
					"readinessProbe.initialDelaySeconds=2")
			.container();
		assertThat(container.at("/startupProbe/failureThreshold").asInt()).isEqualTo(120);
		assertThat(container.at("/livenessProbe/periodSeconds").asInt()).isEqualTo(30);
		assertThat(container.at("/livenessProbe/timeoutSeconds").asInt()).isEqualTo(3);
		assertThat(container.at("/readinessProbe/initialDelaySeconds").asInt()).isEqualTo(2);
	}

	@ParameterizedTest
	@CsvSource({ "5, 2500ms, 40", "20, 2s, 55", "5, 28s, 40", "5, 28001ms, 41", "5, 28500, 41", "5, 60s, 72",
			"5, 1m, 72", "5, PT45.5S, 58" })
	void graceCoversPreStopAndRequestsInFlight(int preStop, String deadline, int grace) {
		Manifests manifests = Chart.render("preStopSeconds=" + preStop, "settings.comfy\\.deadline=" + deadline);
		assertThat(manifests.container().at("/lifecycle"))
			.isEqualTo(JSON.readTree("{\"preStop\": {\"sleep\": {\"seconds\": %s}}}".formatted(preStop)));
		assertThat(manifests.pod().at("/spec/terminationGracePeriodSeconds").asInt()).isEqualTo(grace);
		assertThat(manifests.environment()
			.contains("SPRING_LIFECYCLE_TIMEOUT_PER_SHUTDOWN_PHASE=%ss".formatted(grace - preStop - 5)))
			.isEqualTo(grace - preStop > 35);
	}

	@Test
	void graceWhenDeadlineIsAVariableFollowsIt() {
		assertThat(Chart.render("extraEnv[0].name=COMFY_DEADLINE", "extraEnv[0].value=50s")
			.pod()
			.at("/spec/terminationGracePeriodSeconds")
			.asInt()).isEqualTo(62);
	}

	@Test
	void graceWhenShutdownIsSetFollowsIt() {
		Manifests manifests = Chart.render("settings.spring\\.lifecycle\\.timeout-per-shutdown-phase=50s",
				"settings.comfy\\.deadline=45s");
		assertThat(manifests.pod().at("/spec/terminationGracePeriodSeconds").asInt()).isEqualTo(60);
		assertThat(manifests.environment()).filteredOn(variable -> variable.contains("SHUTDOWN_PHASE"))
			.containsExactly("SPRING_LIFECYCLE_TIMEOUT_PER_SHUTDOWN_PHASE=50s");
	}

	@Test
	void shutdownWhenShorterThanDeadlineIsRefused() {
		assertThatException()
			.isThrownBy(() -> Chart.render("settings.spring\\.lifecycle\\.timeout-per-shutdown-phase=10s",
					"settings.comfy\\.deadline=20s"))
			.withMessageContaining("less than comfy.deadline");
	}

	@ParameterizedTest
	@ValueSource(strings = { "soon", "2500 ms", "2.5s", "-1s", "PT" })
	void deadlineWhenNoDurationIsRefused(String deadline) {
		assertThatException().isThrownBy(() -> Chart.render("settings.comfy\\.deadline=" + deadline))
			.withMessageContaining("comfy.deadline is " + deadline);
	}

	@Test
	void userWhenClusterChoosesItIsLeftOut() {
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

	@ParameterizedTest
	@ValueSource(strings = { "key", "tmp" })
	void volumeWhenNameIsTheChartsIsRefused(String name) {
		assertThatException()
			.isThrownBy(() -> Chart.render("extraVolumes[0].name=" + name, "extraVolumes[0].emptyDir.medium=Memory"))
			.withMessageContaining("/extraVolumes/0/name");
	}

	@Test
	void spreadWhenSelectorIsGivenHasThat() {
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
