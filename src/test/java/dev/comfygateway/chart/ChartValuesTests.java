package dev.comfygateway.chart;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;

class ChartValuesTests {

	private static final Pattern SENTENCE = Pattern.compile(" *# -- (.*)");

	private static final Pattern KEY = Pattern.compile("( *)([A-Za-z]+):.*");

	@ParameterizedTest
	@CsvSource(delimiter = '|', value = { "replicaCount=two | /replicaCount", "replicaCount=-1 | /replicaCount",
			"image.repository= | /image/repository", "image.tag=a:b | /image/tag",
			"image.digest=sha256:1 | /image/digest", "image.pullPolicy=Sometimes | /image/pullPolicy",
			"apiKey.existingSecret= | /apiKey/existingSecret", "apiKey.existingSecret=Upper | existingSecret",
			"apiKey.entry=../x | /apiKey/entry", "apiKey.value=123 | /apiKey/value",
			"service.type=ExternalName | /service/type", "service.port=0 | /service/port",
			"preStopSeconds=0 | /preStopSeconds", "podDisruptionBudget.enabled=maybe | enabled",
			"autoscaling.minReplicas=0 | /autoscaling/minReplicas",
			"networkPolicy.egressPorts[0]=70000 | /networkPolicy/egressPorts/0",
			"networkPolicy.from[0].podSelecter=x | podSelecter", "ingress.host=a b | /ingress/host",
			"httpRoute.parentRefs[0].nam=x | nam", "serviceMonitor.interval=15 | /serviceMonitor/interval",
			"podLabels.a=1 | /podLabels/a", "podLabels.app\\.kubernetes\\.io/name=x | app.kubernetes.io/name",
			"serviceMonitor.labels.helm\\.sh/chart=x | helm.sh/chart", "test.image= | /test/image",
			"settings.gateway\\.fresh-for.a=1 | /settings/gateway.fresh-for",
			"revisionHistoryLimit=-1 | /revisionHistoryLimit", "extraEnv[0].name=A | /extraEnv/0",
			"extraEnv[0].name=A B | /extraEnv/0/name", "extraArgs[0]= | /extraArgs/0",
			"extraVolumes[0].name=a | /extraVolumes/0", "extraVolumeMounts[0].mountPath=a | mountPath",
			"service.loadBalancerSourceRanges[0]=x | loadBalancerSourceRanges",
			"podSecurityContext.runAsUser=root | /podSecurityContext/runAsUser",
			"livenessProbe.periodSeconds=0 | /livenessProbe/periodSeconds", "priorityClassName=A | /priorityClassName",
			"autoscaling.metrics[0].type=Cpu | /autoscaling/metrics", "fleet.enabled=redis | /fleet/enabled",
			"fleet.redis.mode=single | /fleet/redis/mode", "fleet.redis.nodes[0]=6379 | /fleet/redis/nodes/0",
			"fleet.redis.sentinelMasterPort=0 | sentinelMasterPort", "fleet.redis.username=a b | username",
			"fleet.redis.existingSecret=Upper | /fleet/redis/existingSecret",
			"fleet.redis.passwordEntry= | passwordEntry",
			"fleet.redis.sentinelPasswordEntry=a/b | sentinelPasswordEntry",
			"fleet.redis.tls.caEntry=../ca | /fleet/redis/tls/caEntry", "fleet.redis.password=x | 'password'",
			"fleet.redis.egress[0].ipBlock.cid=x | cid" })
	void valueWhenWrongIsRefusedByName(String value, String named) {
		assertRefused(value, named);
	}

	@ParameterizedTest
	@ValueSource(strings = { "comfy\\.api-key", "comfy\\.api-key-file", "comfy\\.apikey", "comfy\\.a-pikey",
			"comfy\\.apikeyfile", "server\\.port", "management\\.server\\.port", "COMFY_API_KEY", "comfy\\.API-KEY",
			"comfy\\.api_key" })
	void settingWhenItIsTheChartsIsRefusedByName(String name) {
		assertRefused("settings." + name + "=x", name.replace("\\", ""));
	}

	@ParameterizedTest
	@ValueSource(strings = { "comfy\\.auth=none", "comfy\\.deadline=2s", "gateway\\.stale-if-error=0s",
			"spring\\.http\\.clients\\.ssl\\.bundle=ca", "logging\\.level\\.dev\\.comfygateway=debug",
			"java\\.tool\\.options=-Dhttps.proxyHost=proxy" })
	void settingWhenItIsTheGatewaysPasses(String setting) {
		assertThat(Chart.render("settings." + setting).environment()).isNotEmpty();
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "image.", "apiKey.", "service.", "serviceAccount.", "resources.",
			"podDisruptionBudget.", "autoscaling.", "networkPolicy.", "ingress.", "httpRoute.", "serviceMonitor.",
			"prometheusRule.", "dashboard.", "test.", "affinity.", "podSecurityContext.", "securityContext.",
			"startupProbe.", "livenessProbe.", "readinessProbe.", "autoscaling.behavior.", "extraEnv[0].",
			"extraVolumeMounts[0].", "topologySpreadConstraints[0].", "fleet.", "fleet.redis.", "fleet.redis.tls.",
			"fleet.redis.egress[0]." })
	void valueWhenUnknownIsRefusedByName(String place) {
		assertRefused(place + "misspelt=x", "misspelt");
	}

	@Test
	void valuesAreAllInTheSchema() throws IOException {
		JsonNode schema = new JsonMapper().readTree(Files.readString(Chart.DIRECTORY.resolve("values.schema.json")));
		List<String> known = new ArrayList<>(schema.at("/properties").propertyNames());
		known.remove("global");
		assertThat(Yamls.file("values.yaml").propertyNames()).containsExactlyInAnyOrderElementsOf(known);
	}

	@Test
	void readmeTableIsValuesFile() throws IOException {
		String readme = Files.readString(Chart.DIRECTORY.resolve("README.md"));
		assertThat(readme.lines().filter(line -> line.startsWith("| `")).toList()).isEqualTo(rows());
	}

	@Test
	void sentencesAreOneEach() throws IOException {
		List<String> lines = Files.readAllLines(Chart.DIRECTORY.resolve("values.yaml"));
		assertThat(lines).filteredOn(line -> SENTENCE.matcher(line).matches())
			.allMatch(line -> line.matches(" *# -- [A-Z].*[^.]\\."));
		int told = Integer.MAX_VALUE;
		for (int i = 0; i < lines.size(); i++) {
			Matcher key = KEY.matcher(lines.get(i));
			if (!key.matches()) {
				continue;
			}
			int depth = key.group(1).length();
			if (i > 0 && SENTENCE.matcher(lines.get(i - 1)).matches()) {
				told = depth;
			}
			else if (depth <= told) {
				told = Integer.MAX_VALUE;
				// A group, whose values have a sentence each
				assertThat(lines.get(i + 1)).as(lines.get(i)).matches(" {%s}# -- .*".formatted(depth + 2));
			}
		}
	}

	/** The table, as the values file has it. */
	private static List<String> rows() throws IOException {
		JsonNode values = Yamls.file("values.yaml");
		List<String> rows = new ArrayList<>();
		List<String> path = new ArrayList<>();
		String sentence = "";
		for (String line : Files.readAllLines(Chart.DIRECTORY.resolve("values.yaml"))) {
			Matcher told = SENTENCE.matcher(line);
			Matcher key = KEY.matcher(line);
			if (told.matches()) {
				sentence = told.group(1);
			}
			else if (key.matches()) {
				path.subList(key.group(1).length() / 2, path.size()).clear();
				path.add(key.group(2));
				if (!sentence.isEmpty()) {
					rows.add("| `%s` | `%s` | %s |".formatted(String.join(".", path),
							values.at("/" + String.join("/", path)), sentence));
				}
				sentence = "";
			}
		}
		return rows;
	}

	private static void assertRefused(String value, String named) {
		assertThatException().isThrownBy(() -> Chart.render(value))
			.withMessageContaining("values don't meet the specifications of the schema")
			.withMessageContaining(named);
	}

}
