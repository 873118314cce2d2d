package dev.comfygateway.chart;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

import static org.assertj.core.api.Assertions.assertThat;

class ChartDefaultsTests {

	private static final JsonMapper JSON = new JsonMapper();

	static List<Path> scenarios() {
		return Chart.scenarios();
	}

	@ParameterizedTest
	@MethodSource("scenarios")
	void podsAreRestricted(Path scenario) {
		Chart.Manifests manifests = Chart.render(scenario);
		List<JsonNode> pods = Stream.of(manifests.pod(), manifests.only("Pod")).map(pod -> pod.get("spec")).toList();
		assertThat(pods).allSatisfy(pod -> {
			assertSame(((ObjectNode) pod.at("/securityContext").deepCopy())
				.without(List.of("runAsUser", "runAsGroup", "fsGroup")), """
						{"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}}""");
			assertThat(pod.at("/automountServiceAccountToken").asBoolean(true)).isFalse();
			assertThat(pod.at("/enableServiceLinks").asBoolean(true)).isFalse();
			assertThat(pod.has("hostNetwork") || pod.has("hostPID") || pod.has("hostIPC")).isFalse();
			assertThat(pod.at("/containers")).hasSize(1).allSatisfy(container -> {
				assertSame(container.at("/securityContext"), """
						{"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
							"capabilities": {"drop": ["ALL"]}}""");
				assertThat(container.at("/resources/limits/memory").asString())
					.isEqualTo(container.at("/resources/requests/memory").asString())
					.isNotEmpty();
				assertThat(container.at("/resources/requests/cpu").asString()).isNotEmpty();
				assertThat(container.at("/resources/limits").has("cpu")).isFalse();
			});
		});
		assertThat(manifests.only("ServiceAccount").at("/automountServiceAccountToken").asBoolean(true)).isFalse();
	}

	@Test
	void portsAreTheGatewaysPorts() {
		assertSame(Chart.render().container().at("/ports"), """
				[{"name": "http", "containerPort": 8080}, {"name": "management", "containerPort": 8081}]""");
	}

	@Test
	void updateLosesNoPod() {
		assertThat(Chart.render().only("Deployment").at("/spec/strategy/rollingUpdate/maxUnavailable").asInt(1))
			.isZero();
	}

	@Test
	void keyIsReadFromADirectory() {
		Chart.Manifests manifests = Chart.render("apiKey.existingSecret=shared", "apiKey.entry=current");
		assertThat(manifests.environment()).containsExactly("COMFY_API_KEY_FILE=/etc/comfy-gateway/key/current");
		assertSame(manifests.container().at("/volumeMounts"), """
				[{"name": "key", "mountPath": "/etc/comfy-gateway/key", "readOnly": true},
					{"name": "tmp", "mountPath": "/tmp"}]""");
		JsonNode volumes = manifests.pod().at("/spec/volumes");
		assertSame(volumes.get(0), """
				{"name": "key", "secret": {"secretName": "shared", "defaultMode": %s}}""".formatted(0440));
		assertThat(volumes.get(1).has("emptyDir")).isTrue();
		assertThat(manifests.pod().at("/spec/securityContext/fsGroup").asInt()).isEqualTo(65532);
	}

	@Test
	void keyWhenNoneIsGivenIsInNoManifest() {
		Chart.Manifests manifests = Chart.render();
		assertThat(manifests.of("Secret")).isEmpty();
		assertThat(manifests.environment()).noneMatch(variable -> variable.startsWith("COMFY_API_KEY="));
		assertThat(manifests.text()).doesNotContain("secretKeyRef");
	}

	@Test
	void keyWhenGivenIsOnlyInTheSecret() {
		String key = "key-of-this-test";
		Chart.Manifests manifests = Chart.render("apiKey.value=" + key);
		assertSame(manifests.only("Secret").at("/stringData"), "{\"api-key\": \"%s\"}".formatted(key));
		assertThat(manifests.text().split(key, -1)).hasSize(2);
		assertThat(manifests.pod().at("/spec/volumes/0/secret/secretName").asString())
			.isEqualTo(manifests.only("Secret").at("/metadata/name").asString());
		assertThat(Chart.notes("apiKey.value=" + key).split("NOTES:")[1]).doesNotContain(key);
	}

	@Test
	void keyWhenUpstreamHasNoneIsNotMounted() {
		Chart.Manifests manifests = Chart.render("settings.comfy\\.auth=none", "apiKey.value=unused");
		assertThat(manifests.environment()).containsExactly("COMFY_AUTH=none");
		assertThat(manifests.container().at("/volumeMounts")).hasSize(1);
		assertThat(manifests.pod().at("/spec/volumes")).hasSize(1);
		assertThat(manifests.of("Secret")).isEmpty();
	}

	@Test
	void settingsAreEnvironmentVariables() {
		assertThat(Chart.render(Chart.DIRECTORY.resolve("ci/everything-values.yaml")).environment()).contains(
				"COMFY_CONNECT_TIMEOUT=500ms", "GATEWAY_FRESH_FOR=5s",
				"GATEWAY_ALLOWED_ORIGINS=https://dashboard.example.com,https://status.example.com",
				"SERVER_JETTY_ACCESSLOG_ENABLED=true", "SERVER_JETTY_MAX_CONNECTIONS=1000000");
	}

	@ParameterizedTest
	@MethodSource("scenarios")
	void managementPortIsInNoServiceOfCallers(Path scenario) {
		Chart.Manifests manifests = Chart.render(scenario);
		JsonNode callers = manifests.named("Service", "gw-comfy-gateway").at("/spec");
		assertThat(callers.at("/ports")).hasSize(1);
		assertThat(callers.at("/ports/0/targetPort").asString()).isEqualTo("http");
		JsonNode operators = manifests.named("Service", "gw-comfy-gateway-management").at("/spec");
		assertThat(operators.at("/ports")).hasSize(1);
		assertThat(operators.at("/ports/0/port").asInt()).isEqualTo(8081);
		assertThat(operators.at("/type").asString()).isEqualTo("ClusterIP");
		assertThat(operators.at("/clusterIP").asString()).isEqualTo("None");
		for (String kind : List.of("Ingress", "HTTPRoute")) {
			assertThat(manifests.of(kind))
				.allSatisfy(route -> assertThat(route.toString()).doesNotContain("management", "8081", "actuator"));
		}
	}

	@Test
	void networkPolicyAllowsOnlyCallersAndRequiredEgress() {
		JsonNode policy = Chart.render().only("NetworkPolicy").at("/spec");
		assertSame(policy.at("/policyTypes"), "[\"Ingress\", \"Egress\"]");
		assertSame(policy.at("/ingress"), """
				[{"from": [{"namespaceSelector": {}}, {"podSelector": {"matchLabels": {
					"app.kubernetes.io/name": "comfy-gateway-test", "app.kubernetes.io/instance": "gw"}}}],
					"ports": [{"protocol": "TCP", "port": "http"}]}]""");
		assertSame(policy.at("/egress"), """
				[{"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]},
				{"ports": [{"protocol": "TCP", "port": 443}]}]""");
	}

	@Test
	void networkPolicyWhenPeersAreGivenAllowsOnlyThem() {
		JsonNode ingress = Chart.render(Chart.DIRECTORY.resolve("ci/everything-values.yaml"))
			.only("NetworkPolicy")
			.at("/spec/ingress");
		assertThat(ingress.at("/0/from")).hasSize(3)
			.noneMatch(peer -> peer.has("namespaceSelector") && peer.at("/namespaceSelector").isEmpty());
		assertSame(ingress.at("/1/from"), """
				[{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]""");
	}

	@ParameterizedTest
	@ValueSource(strings = { "NodePort", "LoadBalancer" })
	void networkPolicyWhenCallersAreExternalAllowsThem(String type) {
		JsonNode ingress = Chart.render("service.type=" + type).only("NetworkPolicy").at("/spec/ingress");
		assertSame(ingress.at("/0"), "{\"ports\": [{\"protocol\": \"TCP\", \"port\": \"http\"}]}");
		assertThat(ingress).hasSize(1);
		assertThat(Chart.notes("service.type=" + type)).contains("every address", "a Service of type " + type);
		assertThat(Chart.notes("service.type=" + type, "networkPolicy.from[0].ipBlock.cidr=192.0.2.0/24"))
			.doesNotContain("every address");
	}

	@Test
	void serviceHasTheSettingsOfTheLoadBalancer() {
		JsonNode service = Chart.render(Chart.DIRECTORY.resolve("ci/everything-values.yaml"))
			.named("Service", "gw-comfy-gateway");
		assertSame(service.at("/metadata/annotations"), "{\"example.com/load-balancer\": \"internal\"}");
		assertThat(service.at("/spec/loadBalancerClass").asString()).isEqualTo("example.com/internal");
		assertSame(service.at("/spec/loadBalancerSourceRanges"), "[\"192.0.2.0/24\"]");
	}

	@ParameterizedTest
	@ValueSource(strings = { "kubernetes.io/hostname", "topology.kubernetes.io/zone" })
	void podsAreSpread(String topology) {
		assertThat(Chart.render().pod().at("/spec/topologySpreadConstraints"))
			.anySatisfy(spread -> assertThat(spread.at("/topologyKey").asString()).isEqualTo(topology));
	}

	@Test
	void imageByDefaultHasTheVersionOfTheChart() {
		assertThat(Chart.render().container().at("/image").asString()).isEqualTo("comfy-gateway:1.0.0");
	}

	@Test
	void imageWhenDigestIsGivenUsesIt() {
		String digest = "sha256:" + "0".repeat(64);
		assertThat(Chart.render("image.tag=2.0.0", "image.digest=" + digest).container().at("/image").asString())
			.isEqualTo("comfy-gateway@" + digest);
	}

	@Test
	void imageOfTheTestIsPinnedByDigest() {
		assertThat(Chart.render().only("Pod").at("/spec/containers/0/image").asString())
			.matches("[a-z/]+:[0-9.]+@sha256:[0-9a-f]{64}");
	}

	@Test
	void testPodSendsRequestsAndFailsOnAnyError() {
		JsonNode pod = Chart.render("service.port=80").only("Pod");
		assertThat(pod.at("/spec/restartPolicy").asString()).isEqualTo("Never");
		assertThat(pod.at("/spec/containers/0/command").valueStream().map(JsonNode::asString)).contains("curl",
				"--fail-with-body", "--fail-early", "http://gw-comfy-gateway:80/readyz",
				"http://gw-comfy-gateway:80/api/prompt");
	}

	@Test
	void notesNameTheRequiredSecret() {
		assertThat(Chart.notes("apiKey.existingSecret=shared", "apiKey.entry=current")).contains(
				"kubectl --namespace comfy create secret generic shared \\\n    --from-file=current=./comfy-api-key",
				"helm --namespace comfy test gw --logs", "http://gw-comfy-gateway.comfy.svc:8080/api/prompt");
	}

	@Test
	void notesWhenUpstreamHasNoKeyMentionIt() {
		assertThat(Chart.notes("settings.comfy\\.auth=none")).contains("No key is sent")
			.doesNotContain("kubectl create");
	}

	@Test
	void notesWhenPrometheusIsNotAllowedNameTheValue() {
		assertThat(Chart.notes("serviceMonitor.enabled=true")).contains("networkPolicy.monitoringFrom");
		assertThat(
				Chart.notes("serviceMonitor.enabled=true", "networkPolicy.monitoringFrom[0].ipBlock.cidr=192.0.2.0/24"))
			.doesNotContain("networkPolicy.monitoringFrom");
	}

	private static void assertSame(JsonNode actual, String expected) {
		assertThat(actual).isEqualTo(JSON.readTree(expected));
	}

}
