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

	private static final Pattern KEY = Pattern.compile("( *)([A-Za-z0-9]+):.*");

	@ParameterizedTest
	@CsvSource(delimiter = '|', value = { "replicaCount=two | /replicaCount", "replicaCount=-1 | /replicaCount",
			"image.repository= | /image/repository", "image.tag=a:b | /image/tag",
			"image.digest=sha256:1 | /image/digest", "apiKey.existingSecret= | /apiKey/existingSecret",
			"apiKey.existingSecret=Upper | existingSecret", "apiKey.entry=../x | /apiKey/entry",
			"apiKey.value=123 | /apiKey/value", "service.type=ExternalName | /service/type",
			"service.port=0 | /service/port", "preStopSeconds=0 | /preStopSeconds",
			"podDisruptionBudget.enabled=maybe | enabled",
			"networkPolicy.egressPorts[0]=70000 | /networkPolicy/egressPorts/0", "podLabels.a=1 | /podLabels/a",
			"podLabels.app\\.kubernetes\\.io/name=x | app.kubernetes.io/name",
			"commonLabels.helm\\.sh/chart=x | helm.sh/chart", "test.image= | /test/image",
			"nameOverride=Upper | /nameOverride", "settings.gateway\\.fresh-for.a=1 | /settings/gateway.fresh-for",
			"fleet.enabled=redis | /fleet/enabled", "fleet.redis.mode=single | /fleet/redis/mode",
			"fleet.redis.existingSecret=Upper | /fleet/redis/existingSecret",
			"fleet.redis.passwordEntry= | passwordEntry", "fleet.redis.password=x | 'password'",
			"prometheusRule.runbookUrl=x | /prometheusRule/runbookUrl" })
	void valueWhenInvalidIsRejectedByName(String value, String named) {
		assertRejected(value, named);
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "image.", "apiKey.", "service.", "serviceAccount.", "resources.",
			"podDisruptionBudget.", "autoscaling.", "networkPolicy.", "ingress.", "httpRoute.", "serviceMonitor.",
			"prometheusRule.", "dashboard.", "test.", "fleet.", "fleet.redis.", "fleet.redis.tls." })
	void valueWhenUnknownIsRejectedByName(String place) {
		assertRejected(place + "misspelt=x", "misspelt");
	}

	@Test
	void valuesAreAllInTheSchema() throws IOException {
		JsonNode schema = new JsonMapper().readTree(Files.readString(Chart.DIRECTORY.resolve("values.schema.json")));
		List<String> known = new ArrayList<>(schema.at("/properties").propertyNames());
		known.removeAll(List.of("global", "enabled"));
		assertThat(Yamls.file("values.yaml").propertyNames()).containsExactlyInAnyOrderElementsOf(known);
	}

	@Test
	void readmeTableMatchesTheValuesFile() throws IOException {
		String readme = Files.readString(Chart.DIRECTORY.resolve("README.md"));
		assertThat(readme.lines().filter(line -> line.startsWith("| `")).toList()).isEqualTo(rows());
	}

	@Test
	void valuesHaveOneSentenceEach() throws IOException {
		List<String> lines = Files.readAllLines(Chart.DIRECTORY.resolve("values.yaml"));
		assertThat(lines).filteredOn(line -> SENTENCE.matcher(line).matches())
			.allMatch(line -> line.matches(" *# -- [A-Z].*[^.]\\."));
		int describedDepth = Integer.MAX_VALUE;
		for (int i = 0; i < lines.size(); i++) {
			Matcher key = KEY.matcher(lines.get(i));
			if (!key.matches()) {
				continue;
			}
			int depth = key.group(1).length();
			if (i > 0 && SENTENCE.matcher(lines.get(i - 1)).matches()) {
				describedDepth = depth;
			}
			else if (depth <= describedDepth) {
				describedDepth = Integer.MAX_VALUE;
				// A group, in which each value has a sentence
				assertThat(lines.get(i + 1)).as(lines.get(i)).matches(" {%s}# -- .*".formatted(depth + 2));
			}
		}
	}

	/** Rows of the table, generated from the values file. */
	private static List<String> rows() throws IOException {
		JsonNode values = Yamls.file("values.yaml");
		List<String> rows = new ArrayList<>();
		List<String> path = new ArrayList<>();
		String sentence = "";
		for (String line : Files.readAllLines(Chart.DIRECTORY.resolve("values.yaml"))) {
			Matcher description = SENTENCE.matcher(line);
			Matcher key = KEY.matcher(line);
			if (description.matches()) {
				sentence = description.group(1);
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

	private static void assertRejected(String value, String named) {
		assertThatException().isThrownBy(() -> Chart.render(value))
			.withMessageContaining("values don't meet the specifications of the schema")
			.withMessageContaining(named);
	}

}
