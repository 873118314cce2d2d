package dev.comfygateway.chart;

import com.marcnuri.helm.Helm;
import com.marcnuri.helm.LintResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.Yaml;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;

class ChartTests {

	static List<Path> scenarios() {
		return Chart.scenarios();
	}

	static List<Path> options() {
		return Chart.options();
	}

	@Test
	void scenariosAreComplete() {
		assertThat(scenarios()).map(path -> path.getFileName().toString())
			.containsExactlyInAnyOrder("autoscaled-values.yaml", "created-secret-values.yaml", "everything-values.yaml",
					"fleet-values.yaml", "gateway-api-values.yaml", "ingress-values.yaml",
					"key-from-variable-values.yaml", "minimal-values.yaml", "openshift-values.yaml",
					"self-hosted-values.yaml");
	}

	@Test
	void lintWithDefaultsReportsNothing() {
		assertClean(new Helm(Chart.DIRECTORY).lint().strict().call());
	}

	@ParameterizedTest
	@MethodSource("scenarios")
	void lintReportsNothing(Path scenario, @TempDir Path directory) throws IOException {
		ObjectNode values = (ObjectNode) Yamls.file("values.yaml");
		merge(values, Yamls.file(scenario));
		Path copy = Chart.copy(directory);
		Files.writeString(copy.resolve("values.yaml"), yaml(values));
		assertClean(new Helm(copy).lint().strict().call());
	}

	@Test
	void lintWhenTemplateIsBrokenReportsIt(@TempDir Path directory) throws IOException {
		Path copy = Chart.copy(directory);
		Files.writeString(copy.resolve("templates/broken.yaml"), "a: [{{ .Values.image.tag }}\n");
		assertThat(new Helm(copy).lint().strict().call().isFailed()).isTrue();
	}

	@ParameterizedTest
	@MethodSource({ "scenarios", "options" })
	void manifestsConformToTheKubernetesModel(Path scenario) {
		assertThat(Chart.render(scenario).all()).isNotEmpty().allSatisfy(KubernetesModel::check);
	}

	@ParameterizedTest
	@MethodSource("scenarios")
	void manifestsWhenRenderedAgainAreEqual(Path scenario) {
		assertThat(Chart.render(scenario).text()).isEqualTo(Chart.render(scenario).text());
	}

	@ParameterizedTest
	@ValueSource(strings = { "/spec", "/spec/template/spec", "/spec/template/spec/containers/0",
			"/spec/template/spec/containers/0/livenessProbe/httpGet", "/spec/template/spec/securityContext",
			"/spec/template/spec/topologySpreadConstraints/0", "/metadata" })
	void manifestWhenFieldIsUnknownIsInvalid(String place) {
		JsonNode deployment = Chart.render().only("Deployment");
		((ObjectNode) deployment.at(place)).put("misspelt", "x");
		assertThatException().isThrownBy(() -> KubernetesModel.check(deployment)).withMessageContaining("misspelt");
	}

	@Test
	void manifestWhenNumberIsTextIsInvalid() {
		JsonNode deployment = Chart.render().only("Deployment");
		((ObjectNode) deployment.at("/spec")).put("replicas", "2");
		assertThatException().isThrownBy(() -> KubernetesModel.check(deployment)).withMessageContaining("replicas");
	}

	@Test
	void kindsWhenEverythingIsEnabledAreComplete() {
		assertThat(Chart.render(Chart.DIRECTORY.resolve("ci/everything-values.yaml")).kinds())
			.containsExactlyInAnyOrder("ConfigMap", "Deployment", "HTTPRoute", "HorizontalPodAutoscaler", "Ingress",
					"NetworkPolicy", "Pod", "PodDisruptionBudget", "PrometheusRule", "Service", "Service",
					"ServiceAccount", "ServiceMonitor");
	}

	@Test
	void kindsWhenNothingIsEnabledAreMinimal() {
		assertThat(Chart.render(Chart.DIRECTORY.resolve("ci/minimal-values.yaml")).kinds())
			.containsExactlyInAnyOrder("Deployment", "Pod", "Service", "Service", "ServiceAccount");
	}

	@Test
	void dashboardAndAlertsHaveTheContentOfTheFiles() throws IOException {
		Chart.Manifests manifests = Chart.render(Chart.DIRECTORY.resolve("ci/everything-values.yaml"));
		JsonMapper json = new JsonMapper();
		assertThat(json.readTree(manifests.only("ConfigMap").at("/data/comfy-gateway.json").asString()))
			.isEqualTo(json.readTree(Files.readString(Chart.DIRECTORY.resolve("files/dashboard.json"))));
		JsonNode rules = manifests.only("PrometheusRule").at("/spec");
		rules.at("/groups/0/rules").forEach(rule -> {
			ObjectNode annotations = (ObjectNode) rule.at("/annotations");
			assertThat(annotations.remove("runbook_url").asString())
				.matches("https://github.com/.*/runbook.md#" + rule.at("/alert").asString().toLowerCase(Locale.ROOT));
		});
		assertThat(rules).isEqualTo(Yamls.file("files/alerts.yaml"));
	}

	@Test
	void listedImagesAreThoseOfThePods() throws IOException {
		JsonNode images = Yamls.documents(Yamls.file("Chart.yaml").at("/annotations/artifacthub.io~1images").asString())
			.getFirst();
		Chart.Manifests manifests = Chart.render();
		assertThat(images.valueStream().map(image -> image.at("/image").asString())).containsExactly(
				manifests.container().at("/image").asString(),
				manifests.only("Pod").at("/spec/containers/0/image").asString());
	}

	@Test
	void changesHaveAKindAndADescription() throws IOException {
		JsonNode changes = Yamls
			.documents(Yamls.file("Chart.yaml").at("/annotations/artifacthub.io~1changes").asString())
			.getFirst();
		assertThat(changes).isNotEmpty().allSatisfy(change -> {
			assertThat(change.at("/kind").asString()).isIn("added", "changed", "deprecated", "removed", "fixed",
					"security");
			assertThat(change.at("/description").asString()).isNotBlank();
		});
	}

	private static void assertClean(LintResult lint) {
		assertThat(lint.getMessages()).allMatch(message -> message.startsWith("[INFO]"));
		assertThat(lint.isFailed()).isFalse();
	}

	/** Merges values like Helm: objects field by field; all other values are replaced. */
	private static void merge(ObjectNode into, JsonNode from) {
		from.properties().forEach(entry -> {
			if (into.get(entry.getKey()) instanceof ObjectNode object && entry.getValue().isObject()) {
				merge(object, entry.getValue());
			}
			else {
				into.set(entry.getKey(), entry.getValue());
			}
		});
	}

	private static String yaml(JsonNode values) {
		DumperOptions options = new DumperOptions();
		options.setDefaultFlowStyle(DumperOptions.FlowStyle.BLOCK);
		return new Yaml(options).dump(new JsonMapper().convertValue(values, Object.class));
	}

}
