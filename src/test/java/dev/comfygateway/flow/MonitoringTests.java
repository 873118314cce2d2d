package dev.comfygateway.flow;

import dev.comfygateway.simulator.Behaviour;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.support.FakeTime;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RawConnection.Response;
import dev.comfygateway.support.RunningGateway;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalManagementPort;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;

/** Tests of the alerts and the dashboard against the metrics of the gateway. */
@RunningGateway
class MonitoringTests {

	private static final Path FILES = Path.of("helm/comfy-gateway/files");

	private static final JsonMapper JSON = new JsonMapper();

	private static final Pattern WORD = Pattern.compile("[a-zA-Z_][a-zA-Z0-9_]*");

	private static final Pattern SELECTOR = Pattern.compile("([a-z_]+)\\{([^}]*)}");

	private static final Pattern MATCHER = Pattern.compile("([a-z_]+)(=|!=|=~)\"([^\"]*)\"");

	private static final Set<String> OPERATORS = Set.of("and", "or", "unless", "by", "without", "on", "ignoring");

	/** Metrics of Prometheus itself, and those that exist only in a fleet. */
	private static final Set<String> ABSENT = Set.of("up", "comfy_gateway_fleet_up",
			"comfy_gateway_fleet_requests_seconds_count");

	/** Labels that Prometheus adds to every scraped series. */
	private static final Set<String> TARGET_LABELS = Set.of("job", "instance", "namespace", "service", "pod");

	private final int port;

	private final int managementPort;

	private final SimulatedComfyCloud upstream;

	private final FakeTime time;

	@Autowired
	MonitoringTests(@LocalServerPort int port, @LocalManagementPort int managementPort, SimulatedComfyCloud upstream,
			FakeTime time) {
		this.port = port;
		this.managementPort = managementPort;
		this.upstream = upstream;
		this.time = time;
	}

	static List<String> alerts() throws IOException {
		return rules().stream().map(rule -> rule.at("/expr").asString()).toList();
	}

	static List<String> panels() throws IOException {
		return dashboard().at("/panels")
			.valueStream()
			.flatMap(panel -> panel.at("/targets").valueStream())
			.map(target -> target.at("/expr").asString())
			.toList();
	}

	@ParameterizedTest
	@MethodSource({ "alerts", "panels" })
	void metricsOfExpressionsExist(String expression) throws IOException {
		Set<String> scraped = scrape().lines()
			.filter(line -> !line.startsWith("#"))
			.map(line -> line.replaceFirst("[{ ].*", ""))
			.collect(Collectors.toSet());
		assertThat(metrics(expression)).isNotEmpty().allMatch(name -> ABSENT.contains(name) || scraped.contains(name));
	}

	@ParameterizedTest
	@MethodSource({ "alerts", "panels" })
	void labelsOfExpressionsExist(String expression) throws IOException {
		String scraped = scrape();
		for (MatchResult selector : SELECTOR.matcher(expression).results().toList()) {
			for (MatchResult matcher : MATCHER.matcher(selector.group(2)).results().toList()) {
				if (TARGET_LABELS.contains(matcher.group(1))) {
					continue;
				}
				for (String value : matcher.group(3).split("\\|")) {
					Pattern series = Pattern.compile("%s\\{(.*,)?%s=\"%s\".*".formatted(selector.group(1),
							matcher.group(1), matcher.group(2).equals("=~") ? value : Pattern.quote(value)));
					assertThat(scraped.lines()).as(series.pattern()).anyMatch(series.asMatchPredicate());
				}
			}
		}
	}

	@ParameterizedTest
	@MethodSource({ "alerts", "panels" })
	void gaugesAreNeverSummed(String expression) {
		assertThat(expression).doesNotContainPattern(
				"sum[^(]*\\(\\s*comfy_gateway_(queue|upstream_(up|cooldown|deprecated)|api_key|fleet_up)");
	}

	@ParameterizedTest
	@ValueSource(strings = { "sum by (pod) (rate(invented_total{result=\"hit\"}[5m]))",
			"histogram_quantile(0.9, invented_total) and up == 1", "time() - max(invented_total)" })
	void metricsWhenUnknownAreFound(String expression) {
		assertThat(metrics(expression)).contains("invented_total").doesNotContain("pod", "result", "hit", "m", "rate");
	}

	@Test
	void alertsAreInRunbook() throws IOException {
		String runbook = Files.readString(Path.of("src/docs/runbook.md"));
		assertThat(rules()).hasSize(12)
			.allSatisfy(rule -> assertThat(runbook).contains("\n### %s\n".formatted(rule.at("/alert").asString())));
	}

	/** Operators do not use metrics without documentation. */
	@Test
	void metricsOfGatewayAreDocumented() throws IOException {
		String documents = Files.readString(Path.of("src/docs/operations.md"));
		assertThat(scrape().lines()
			.filter(line -> line.startsWith("# TYPE comfy_gateway_"))
			.map(line -> line.split(" ")[2])
			.filter(name -> !name.endsWith("_max"))).isNotEmpty()
			.allSatisfy(name -> assertThat(documents).containsPattern("\\| `%s(\\{[a-z,]+})?` \\|".formatted(name)));
	}

	@Test
	void alertsHaveTests() throws IOException {
		String tests = Files.readString(FILES.resolve("alerts-tests.yaml"));
		assertThat(rules()).allSatisfy(
				rule -> assertThat(tests).contains("- alertname: %s\n".formatted(rule.at("/alert").asString())));
	}

	@Test
	void panelsCoverExpectedTopics() throws IOException {
		assertThat(dashboard().at("/panels").valueStream().map(panel -> panel.at("/title").asString())).contains(
				"Queue remaining", "Requests by result", "Hit ratio", "Stale share and error share",
				"Upstream latency, 95th percentile", "Errors to callers", "Cool-down", "Key state", "Age of the answer",
				"Latency of callers", "JVM memory", "Listeners", "Fleet", "Deprecation");
		assertThat(dashboard().at("/panels")).allSatisfy(panel -> {
			assertThat(panel.at("/description").asString()).isNotBlank();
			assertThat(panel.at("/datasource/uid").asString()).isEqualTo("${datasource}");
		});
		assertThat(dashboard().at("/panels").valueStream().map(panel -> panel.at("/id").asInt()))
			.doesNotHaveDuplicates();
	}

	/** A range query also returns the last value of a series that has ended. */
	@Test
	void panelsOfTypeStatUseInstantQueries() throws IOException {
		assertThat(dashboard().at("/panels").valueStream().filter(panel -> panel.at("/type").asString().equals("stat")))
			.isNotEmpty()
			.flatMap(panel -> panel.at("/targets").valueStream().toList())
			.allSatisfy(target -> assertThat(target.at("/instant").asBoolean()).isTrue());
	}

	@Test
	void colourOverridesMatchSeries() throws IOException {
		String scraped = scrape();
		assertThat(dashboard().at("/panels").valueStream()).allSatisfy(panel -> {
			List<String> legends = panel.at("/targets")
				.valueStream()
				.map(target -> target.at("/legendFormat").asString())
				.toList();
			assertThat(panel.at("/fieldConfig/overrides")
				.valueStream()
				.filter(override -> override.at("/matcher/id").asString().equals("byName"))
				.map(override -> override.at("/matcher/options").asString()))
				.allMatch(name -> legends.contains(name) || scraped.contains("=\"%s\"".formatted(name)));
		});
	}

	/** Returns a scrape after successful and failed upstream requests. */
	private String scrape() throws IOException {
		RawConnection.get(port, "/api/prompt");
		upstream.behave(Behaviour.LIMIT);
		time.advance(Duration.ofMinutes(10));
		RawConnection.get(port, "/api/prompt");
		upstream.behave(Behaviour.NORMAL);
		time.advance(Duration.ofMinutes(10));
		RawConnection.get(port, "/api/prompt");
		Response response = RawConnection.get(managementPort, "/actuator/prometheus");
		assertThat(response.status()).isEqualTo(200);
		return response.body();
	}

	/** Returns the names of the metrics in an expression. */
	private static Set<String> metrics(String expression) {
		String bare = expression.replaceAll("\\{[^}]*}", " ")
			.replaceAll("\\[[^]]*]", " ")
			.replaceAll("\\b(by|without|on|ignoring)\\s*\\([^)]*\\)", " ");
		Set<String> names = new HashSet<>();
		WORD.matcher(bare).results().forEach(word -> {
			boolean function = bare.substring(word.end()).stripLeading().startsWith("(");
			boolean number = word.start() > 0 && Character.isDigit(bare.charAt(word.start() - 1));
			if (!function && !number && !OPERATORS.contains(word.group())) {
				names.add(word.group());
			}
		});
		return names;
	}

	private static List<JsonNode> rules() throws IOException {
		JsonNode file = JSON.valueToTree(new Yaml(new SafeConstructor(new LoaderOptions()))
			.<Object>load(Files.readString(FILES.resolve("alerts.yaml"))));
		return file.at("/groups").valueStream().flatMap(group -> group.at("/rules").valueStream()).toList();
	}

	private static JsonNode dashboard() throws IOException {
		return JSON.readTree(Files.readString(FILES.resolve("dashboard.json")));
	}

}
