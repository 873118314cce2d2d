package dev.comfygateway.chart;

import com.marcnuri.helm.Helm;
import dev.comfygateway.chart.Chart.Manifests;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;

/** Tests of rarely used values, with one values file each. */
class ChartOptionsTests {

	@ParameterizedTest
	@CsvSource(delimiter = '|', quoteCharacter = '`', value = { "names | Deployment | /metadata/name | \"gw-queue\"",
			"names | Deployment | /spec/selector/matchLabels/app.kubernetes.io~1name | \"queue\"",
			"names | NetworkPolicy | /metadata/labels/example.com~1cost-centre | \"42\"",
			"names | Service | /metadata/labels/app.kubernetes.io~1component | \"callers\"",
			"names | Pod | /metadata/labels/example.com~1cost-centre | \"42\"",
			"names | Deployment | /spec/template/metadata/labels/app.kubernetes.io~1part-of | \"render-farm\"",
			"account | Deployment | /metadata/name | \"comfy-queue\"",
			"account | Deployment | /spec/template/spec/serviceAccountName | \"workloads\"",
			"vault | Deployment | /spec/template/spec/initContainers/0/name | \"vault-init\"",
			"vault | Deployment | /spec/template/spec/containers/1/name | \"vault-agent\"",
			"env-from | Deployment | /spec/template/spec/containers/0/envFrom/0/secretRef/name | \"comfy\"",
			"env-from | Deployment | /spec/template/spec/volumes/0/name | \"tmp\"",
			"monitoring | ServiceMonitor | /spec/endpoints/0/scrapeTimeout | \"5s\"",
			"monitoring | ServiceMonitor | /spec/endpoints/0/scheme | \"https\"",
			"monitoring | ServiceMonitor | /spec/endpoints/0/tlsConfig/insecureSkipVerify | true",
			"monitoring | ServiceMonitor | /spec/endpoints/0/relabelings/0/targetLabel | \"cluster\"",
			"monitoring | ServiceMonitor | /spec/endpoints/0/metricRelabelings/0/action | \"drop\"",
			"monitoring | PrometheusRule | /spec/groups/0/rules/0/labels | {\"severity\":\"critical\",\"team\":\"comfy\"}",
			"monitoring | PrometheusRule | /spec/groups/0/rules/0/annotations/runbook_url | \"https://runbooks.example.com/comfy#comfygatewaykeyrefused\"",
			"hosts | Ingress | /spec/rules/1/host | \"b.example.com\"",
			"hosts | Ingress | /spec/rules/1/http/paths/0/path | \"/api/prompt\"",
			"hosts | Ingress | /spec/tls/1/secretName | \"b\"",
			"filters | HTTPRoute | /metadata/annotations/example.com~1owner | \"comfy\"",
			"filters | HTTPRoute | /spec/rules/1/filters/0/type | \"ResponseHeaderModifier\"",
			"dual-stack | Service | /spec/ipFamilyPolicy | \"PreferDualStack\"",
			"dual-stack | Service | /spec/ipFamilies | [\"IPv6\",\"IPv4\"]",
			"dual-stack | Service | /spec/trafficDistribution | \"PreferClose\"",
			"http2 | Service | /spec/ports/0/appProtocol | \"kubernetes.io/h2c\"",
			"http2 | Deployment | /spec/template/spec/containers/0/env | [{\"name\":\"SERVER_HTTP2_ENABLED\",\"value\":\"true\"}]",
			"node-port | Service | /spec/ports/0/nodePort | 30080",
			"node-port | Service | /spec/externalTrafficPolicy | \"Local\"",
			"evictions | Deployment | /metadata/annotations/example.com~1reload | \"true\"",
			"evictions | Deployment | /spec/template/spec/terminationGracePeriodSeconds | 20",
			"evictions | PodDisruptionBudget | /spec/minAvailable | \"50%\"",
			"names-of-hosts | Deployment | /spec/template/spec/hostAliases/0/ip | \"192.0.2.1\"",
			"names-of-hosts | Deployment | /spec/template/spec/dnsConfig/options/0/name | \"ndots\"" })
	void optionIsInTheManifest(String file, String kind, String place, String expected) {
		assertThat(render(file).of(kind).getLast().at(place)).isEqualTo(new JsonMapper().readTree(expected));
	}

	@Test
	void settingsAreStringsInVariables() {
		assertThat(render("settings").environment()).contains(
				"GATEWAY_ALLOWED_ORIGINS=https://a.example.com,https://b.example.com", "GATEWAY_MAX_WAITING=2000000",
				"logging.level.dev.comfyGateway=debug", "MANAGEMENT_TRACING_SAMPLING_PROBABILITY=0.5");
	}

	@Test
	void alertsWhenNameIsGivenUseItAsJob() {
		assertThat(render("names").only("PrometheusRule").toString()).contains("{job=\\\"queue\\\"}")
			.doesNotContain("{job=\\\"comfy-gateway\\\"}");
	}

	@Test
	void serviceAccountWhenNotCreatedIsInNoManifest() {
		assertThat(render("account").of("ServiceAccount")).isEmpty();
	}

	@Test
	void valuesOfAnOlderChartAreRejectedWithInstructions(@TempDir Path directory) throws IOException {
		Path copy = Chart.copy(directory);
		Files.writeString(copy.resolve("values.yaml"), "image: {repository: a}\napiKey: {existingSecret: b, entry: c}\n"
				+ "test: {image: d}\nreplicaCount: 2\n");
		assertThatException().isThrownBy(() -> new Helm(copy).template().withKubeVersion(Chart.KUBERNETES).call())
			.withMessageContaining("--reset-then-reuse-values");
	}

	private static Manifests render(String file) {
		return Chart.render(Chart.OPTIONS.resolve(file + ".yaml"));
	}

}
