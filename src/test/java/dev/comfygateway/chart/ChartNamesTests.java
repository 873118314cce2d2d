package dev.comfygateway.chart;

import dev.comfygateway.chart.Chart.Manifests;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

import static org.assertj.core.api.Assertions.assertThat;

class ChartNamesTests {

	/** Release name of the maximum length. */
	private static final String LONG = "a-release-with-a-name-as-long-as-helm-lets-it-be-0123";

	private static final String[] EVERYTHING = { "apiKey.value=k", "autoscaling.enabled=true", "ingress.enabled=true",
			"httpRoute.enabled=true", "serviceMonitor.enabled=true", "prometheusRule.enabled=true",
			"dashboard.enabled=true" };

	static Stream<String> releases() {
		return Stream.of("gw", "comfy-gateway", "my-comfy-gateway", LONG, "x".repeat(53), "9");
	}

	@ParameterizedTest
	@CsvSource({ "gw, gw-comfy-gateway", "comfy-gateway, comfy-gateway", "my-comfy-gateway, my-comfy-gateway" })
	void nameIsDerivedFromTheRelease(String release, String name) {
		assertThat(name(Chart.renderAs(release).only("Deployment"))).isEqualTo(name);
	}

	@ParameterizedTest
	@MethodSource("releases")
	void namesAreValidDnsLabels(String release) {
		assertThat(everything(release).all()).extracting(ChartNamesTests::name)
			.allMatch(name -> name.matches("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"));
	}

	@ParameterizedTest
	@MethodSource("releases")
	void labelsAreValid(String release) {
		assertThat(everything(release).all()).allSatisfy(manifest -> {
			JsonNode labels = manifest.at("/metadata/labels");
			assertThat(labels.at("/app.kubernetes.io~1instance").asString()).isEqualTo(release);
			assertThat(labels.at("/app.kubernetes.io~1managed-by").asString()).isEqualTo("Helm");
			assertThat(labels.at("/helm.sh~1chart").asString()).startsWith("comfy-gateway-");
			assertThat(labels.valueStream().map(JsonNode::asString))
				.allMatch(value -> value.matches("[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"));
		});
	}

	@Test
	void twoReleasesShareNoName() {
		assertThat(LONG).hasSize(53);
		List<String> releases = List.of("one", "two", LONG, LONG.replace("0123", "0124"), "comfy-gateway");
		Set<String> seen = new HashSet<>();
		for (String release : releases) {
			everything(release).all()
				.forEach(manifest -> assertThat(seen.add(manifest.at("/kind").asString() + " " + name(manifest)))
					.as("%s %s", release, name(manifest))
					.isTrue());
		}
	}

	@ParameterizedTest
	@MethodSource("releases")
	void selectorsMatchOnlyThePodsOfTheirRelease(String release) {
		Manifests mine = everything(release);
		JsonNode pod = mine.pod().at("/metadata/labels");
		JsonNode other = everything("other").pod().at("/metadata/labels");
		JsonNode test = mine.only("Pod").at("/metadata/labels");
		List<JsonNode> selectors = Stream
			.of(mine.of("Deployment").stream().map(it -> it.at("/spec/selector/matchLabels")),
					mine.of("Service").stream().map(it -> it.at("/spec/selector")),
					mine.of("PodDisruptionBudget").stream().map(it -> it.at("/spec/selector/matchLabels")),
					mine.of("NetworkPolicy").stream().map(it -> it.at("/spec/podSelector/matchLabels")),
					mine.pod()
						.at("/spec/topologySpreadConstraints")
						.valueStream()
						.map(it -> it.at("/labelSelector/matchLabels")))
			.flatMap(it -> it)
			.toList();
		assertThat(selectors).hasSize(7).allSatisfy(selector -> {
			assertThat(selects(selector, pod)).isTrue();
			assertThat(selects(selector, other)).isFalse();
			assertThat(selects(selector, test)).isFalse();
		});
	}

	@Test
	void selectorWhenChartIsUpgradedIsUnchanged() {
		JsonNode selector = Chart.render().only("Deployment").at("/spec/selector/matchLabels");
		assertThat(selector.propertyNames()).containsExactlyInAnyOrder("app.kubernetes.io/name",
				"app.kubernetes.io/instance");
	}

	@ParameterizedTest
	@MethodSource("releases")
	void networkPolicyAllowsTheTestPod(String release) {
		Manifests mine = everything(release);
		JsonNode test = mine.only("Pod").at("/metadata/labels");
		assertThat(mine.only("NetworkPolicy").at("/spec/ingress/0/from")).anyMatch(
				peer -> peer.at("/podSelector/matchLabels") instanceof ObjectNode labels && selects(labels, test));
	}

	@ParameterizedTest
	@MethodSource("releases")
	void serviceMonitorSelectsOnlyTheManagementService(String release) {
		Manifests mine = everything(release);
		JsonNode monitor = mine.only("ServiceMonitor").at("/spec");
		List<JsonNode> found = mine.of("Service")
			.stream()
			.filter(service -> selects(monitor.at("/selector/matchLabels"), service.at("/metadata/labels")))
			.toList();
		assertThat(found).hasSize(1);
		assertThat(found.getFirst().at("/spec/ports/0/name").asString()).isEqualTo("management")
			.isEqualTo(monitor.at("/endpoints/0/port").asString());
		// The job that the alerts expect, independent of the release name
		assertThat(found.getFirst().at("/metadata/labels/app.kubernetes.io~1name").asString())
			.isEqualTo("comfy-gateway");
		assertThat(monitor.at("/jobLabel").asString()).isEqualTo("app.kubernetes.io/name");
	}

	@ParameterizedTest
	@MethodSource("releases")
	void referencesAreToExistingObjects(String release) {
		Manifests mine = everything(release);
		JsonNode pod = mine.pod().at("/spec");
		assertThat(pod.at("/serviceAccountName").asString()).isEqualTo(name(mine.only("ServiceAccount")));
		assertThat(pod.at("/volumes/0/secret/secretName").asString()).isEqualTo(name(mine.only("Secret")));
		assertThat(mine.only("HorizontalPodAutoscaler").at("/spec/scaleTargetRef/name").asString())
			.isEqualTo(name(mine.only("Deployment")));
	}

	private static Manifests everything(String release) {
		return Chart.renderAs(release, EVERYTHING);
	}

	private static String name(JsonNode manifest) {
		return manifest.at("/metadata/name").asString();
	}

	private static boolean selects(JsonNode selector, JsonNode labels) {
		assertThat(selector.isEmpty()).isFalse();
		return selector.properties().stream().allMatch(label -> label.getValue().equals(labels.get(label.getKey())));
	}

}
