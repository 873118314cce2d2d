package dev.comfygateway.chart;

import dev.comfygateway.chart.Chart.Manifests;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;

/** Tests of the fleet: the address of Redis, its network policy, and its password. */
class ChartFleetTests {

	private static final JsonMapper JSON = new JsonMapper();

	private static final String PASSWORD = "password-of-this-test";

	private static final String NODE = "fleet.redis.nodes[0]=redis.redis.svc:6379";

	@Test
	void fleetWhenDisabledIsInNoManifest() {
		String text = Chart.render().text();
		assertThat(text.toLowerCase(Locale.ROOT)).doesNotContain("gateway_fleet", "fleet-ca", "redis_");
		assertThat(Chart
			.render(NODE, "fleet.redis.username=comfy", "fleet.redis.existingSecret=comfy-redis",
					"fleet.redis.tls.enabled=true", "fleet.redis.tls.existingSecret=redis-tls",
					"fleet.redis.egress[0].ipBlock.cidr=192.0.2.0/24")
			.text()).isEqualTo(text);
	}

	@Test
	void fleetWhenStandaloneUsesTheSingleServer() {
		assertThat(variables(fleet())).containsExactly("GATEWAY_FLEET=redis", "SPRING_DATA_REDIS_HOST=redis.redis.svc",
				"SPRING_DATA_REDIS_PORT=6379");
	}

	@Test
	void fleetWhenSentinelUsesTheSentinelsAndTheMaster() {
		assertThat(variables(fleet("fleet.redis.mode=sentinel", "fleet.redis.nodes[0]=a:26379",
				"fleet.redis.nodes[1]=192.0.2.1:26380", "fleet.redis.sentinelMaster=comfy")))
			.containsExactly("GATEWAY_FLEET=redis", "SPRING_DATA_REDIS_SENTINEL_MASTER=comfy",
					"SPRING_DATA_REDIS_SENTINEL_NODES=a:26379,192.0.2.1:26380");
	}

	@Test
	void fleetWhenClusterUsesItsNodes() {
		assertThat(variables(fleet("fleet.redis.mode=cluster", "fleet.redis.nodes[1]=b:6380")))
			.containsExactly("GATEWAY_FLEET=redis", "SPRING_DATA_REDIS_CLUSTER_NODES=redis.redis.svc:6379,b:6380");
	}

	@Test
	void fleetWhenThereIsNoKeyIsEnabledToo() {
		assertThat(fleet("settings.comfy\\.auth=none").environment()).contains("GATEWAY_FLEET=redis");
	}

	@Test
	void passwordComesFromTheSecret() {
		Manifests manifests = fleet("fleet.redis.username=comfy", "fleet.redis.existingSecret=comfy-redis");
		assertThat(variables(manifests)).contains("SPRING_DATA_REDIS_USERNAME=comfy");
		assertThat(fromSecrets(manifests)).containsExactly("SPRING_DATA_REDIS_PASSWORD=comfy-redis/password");
		assertThat(manifests.of("Secret")).isEmpty();
	}

	@Test
	void passwordOfSentinelsComesFromItsEntry() {
		Manifests manifests = Chart.render(Chart.DIRECTORY.resolve("ci/everything-values.yaml"));
		assertThat(fromSecrets(manifests)).containsExactly("SPRING_DATA_REDIS_PASSWORD=comfy-redis/redis",
				"SPRING_DATA_REDIS_SENTINEL_PASSWORD=comfy-redis/sentinel");
	}

	@Test
	void notesWhenThereIsAPasswordExplainHowToChangeIt() {
		assertThat(Chart.notes("fleet.enabled=true", NODE, "fleet.redis.existingSecret=comfy-redis"))
			.contains("Secret comfy-redis", "rollout restart deployment/gw-comfy-gateway");
		assertThat(Chart.notes("fleet.enabled=true", NODE)).doesNotContain("password", "rollout restart");
	}

	@Test
	void tlsWhenNoAuthorityIsGivenTrustsThoseOfTheJvm() {
		Manifests manifests = fleet("fleet.redis.tls.enabled=true");
		assertThat(variables(manifests)).contains("SPRING_DATA_REDIS_SSL_ENABLED=true")
			.noneMatch(variable -> variable.contains("BUNDLE"));
		assertThat(manifests.pod().at("/spec/volumes")).hasSize(2);
	}

	@Test
	void tlsWhenAuthorityIsGivenTrustsOnlyIt() {
		Manifests manifests = fleet("fleet.redis.tls.enabled=true", "fleet.redis.tls.existingSecret=redis-tls",
				"fleet.redis.tls.caEntry=ca.pem");
		assertThat(variables(manifests)).contains("SPRING_DATA_REDIS_SSL_ENABLED=true",
				"SPRING_DATA_REDIS_SSL_BUNDLE=fleet",
				"SPRING_SSL_BUNDLE_PEM_FLEET_TRUSTSTORE_CERTIFICATE=file:/etc/comfy-gateway/fleet-ca/ca.pem");
		assertThat(manifests.container().at("/volumeMounts").valueStream()).contains(JSON
			.readTree("{\"name\": \"fleet-ca\", \"mountPath\": \"/etc/comfy-gateway/fleet-ca\", \"readOnly\": true}"));
		assertThat(manifests.pod().at("/spec/volumes").valueStream()).contains(JSON.readTree("""
				{"name": "fleet-ca", "secret": {"secretName": "redis-tls",
					"items": [{"key": "ca.pem", "path": "ca.pem"}], "defaultMode": %s}}""".formatted(0440)));
	}

	@Test
	void networkPolicyAllowsEgressToRedis() {
		assertThat(egress(fleet())).isEqualTo(JSON.readTree("{\"ports\": [{\"protocol\": \"TCP\", \"port\": 6379}]}"));
	}

	@Test
	void networkPolicyWhenSentinelAllowsEgressToTheMasterToo() {
		assertThat(ports("fleet.redis.mode=sentinel", "fleet.redis.sentinelMaster=comfy",
				"fleet.redis.nodes[0]=a:26379", "fleet.redis.nodes[1]=b:26379"))
			.containsExactly(26379, 6379);
		assertThat(ports("fleet.redis.mode=sentinel", "fleet.redis.sentinelMaster=comfy",
				"fleet.redis.nodes[0]=a:26379", "fleet.redis.sentinelMasterPort=6380"))
			.containsExactly(26379, 6380);
	}

	@Test
	void networkPolicyWhenPortsRepeatHasEachOnce() {
		assertThat(ports("fleet.redis.mode=cluster", "fleet.redis.nodes[1]=b:6379", "fleet.redis.nodes[2]=b:6380"))
			.containsExactly(6379, 6380);
	}

	@Test
	void networkPolicyWhenPeersAreGivenAllowsEgressOnlyToThem() {
		JsonNode egress = egress(Chart.render(Chart.DIRECTORY.resolve("ci/fleet-values.yaml")));
		assertThat(egress).isEqualTo(JSON.readTree("""
				{"ports": [{"protocol": "TCP", "port": 6379}], "to": [{"namespaceSelector":
					{"matchLabels": {"kubernetes.io/metadata.name": "redis"}}}]}"""));
	}

	@Test
	void nodesWhenEmptyAreRejected() {
		assertRejected("fleet.enabled needs fleet.redis.nodes", "fleet.enabled=true");
	}

	@ParameterizedTest
	@ValueSource(strings = { "redis", "redis:", ":6379", "redis:x", "redis:0", "redis:6379/0", "redis:6379:",
			"re dis:6379", "-redis:6379", "redis://:" + PASSWORD + "@redis:6379", "::1" })
	void nodeWhenNotHostAndPortIsRejected(String node) {
		assertThatException().isThrownBy(() -> fleet("fleet.redis.mode=cluster", "fleet.redis.nodes[1]=" + node))
			.withMessageContaining("fleet.redis.nodes[1] is not host:port")
			.satisfies(rejected -> assertThat(rejected.getMessage()).doesNotContain(PASSWORD));
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', textBlock = """
			nodes[1]=b:6379 | fleet.redis.nodes has 2 entries
			mode=sentinel | sentinel needs fleet.redis.sentinelMaster
			sentinelMaster=comfy | need fleet.redis.mode sentinel
			mode=cluster sentinelMaster=comfy | need fleet.redis.mode sentinel
			mode=cluster sentinelPasswordEntry=comfy | need fleet.redis.mode sentinel
			username=comfy | need fleet.redis.existingSecret
			tls.existingSecret=redis-tls | fleet.redis.tls.existingSecret needs fleet.redis.tls.enabled
			""")
	void valuesWhenInconsistentAreRejected(String values, String named) {
		assertThatException()
			.isThrownBy(() -> fleet(Stream.of(values.split(" ")).map("fleet.redis."::concat).toArray(String[]::new)))
			.withMessageContaining(named);
	}

	@ParameterizedTest
	@ValueSource(strings = { "gateway.fleet", "spring.data.redis.host", "spring.data.redis.url",
			"spring.data.redis.sentinel.nodes", "spring.data.redis.cluster.nodes", "spring.data.redis.ssl.bundle",
			"spring.ssl.bundle.pem.fleet.truststore.certificate" })
	void settingWhenSetByTheFleetIsRejected(String name) {
		String variable = name.toUpperCase(Locale.ROOT).replace('.', '_');
		assertRejected(name + " cannot be set beside fleet.enabled", "fleet.enabled=true", NODE,
				"settings.%s=x".formatted(name.replace(".", "\\.")));
		assertRejected(variable + " cannot be set beside fleet.enabled", "fleet.enabled=true", NODE,
				"extraEnv[0].name=" + variable, "extraEnv[0].value=x");
	}

	@Test
	void settingWhenTheFleetIsDisabledIsAccepted() {
		assertThat(Chart.render("settings.gateway\\.fleet=redis", "settings.spring\\.data\\.redis\\.host=redis")
			.environment()).contains("GATEWAY_FLEET=redis", "SPRING_DATA_REDIS_HOST=redis");
	}

	@Test
	void timeoutWithTheFleetIsAccepted() {
		assertThat(fleet("settings.spring\\.data\\.redis\\.timeout=625ms",
				"extraEnv[0].name=SPRING_DATA_REDIS_CONNECT_TIMEOUT", "extraEnv[0].value=100ms")
			.environment()).contains("SPRING_DATA_REDIS_TIMEOUT=625ms", "SPRING_DATA_REDIS_CONNECT_TIMEOUT=100ms");
	}

	@ParameterizedTest
	@ValueSource(strings = { "settings.spring\\.data\\.redis\\.password=" + PASSWORD,
			"settings.spring\\.data\\.redis\\.sentinel\\.password=" + PASSWORD,
			"settings.spring\\.data\\.redis\\.url=redis://comfy:" + PASSWORD + "@redis:6379",
			"settings.java\\.tool\\.options=-Dspring.data.redis.password=" + PASSWORD,
			"extraArgs[0]=--spring.data.redis.password=" + PASSWORD,
			"extraArgs[0]=--spring.data.redis.url=rediss://:" + PASSWORD + "@redis" })
	void passwordWhenInAValueIsRejected(String value) {
		assertPasswordRejected(value);
	}

	@Test
	void passwordWhenFromASecretIsAccepted() {
		assertThat(fromSecrets(Chart.render("extraEnv[0].name=SPRING_DATA_REDIS_PASSWORD",
				"extraEnv[0].valueFrom.secretKeyRef.name=comfy", "extraEnv[0].valueFrom.secretKeyRef.key=redis")))
			.hasSize(1);
		assertPasswordRejected("extraEnv[0].name=SPRING_DATA_REDIS_PASSWORD",
				"extraEnv[0].valueFrom.configMapKeyRef.name=comfy",
				"extraEnv[0].valueFrom.configMapKeyRef.key=" + PASSWORD);
	}

	private static Manifests fleet(String... values) {
		return Chart
			.render(Stream.concat(Stream.of("fleet.enabled=true", NODE), Stream.of(values)).toArray(String[]::new));
	}

	/** Environment variables of the fleet with a literal value. */
	private static List<String> variables(Manifests manifests) {
		return manifests.environment()
			.stream()
			.filter(variable -> variable.matches("(GATEWAY_FLEET|SPRING_DATA_REDIS|SPRING_SSL).*=.+"))
			.toList();
	}

	/** Environment variables from Secrets, each as {@code NAME=secret/entry}. */
	private static List<String> fromSecrets(Manifests manifests) {
		return manifests.container()
			.at("/env")
			.valueStream()
			.filter(variable -> variable.at("/valueFrom").has("secretKeyRef"))
			.map(variable -> "%s=%s/%s".formatted(variable.at("/name").asString(),
					variable.at("/valueFrom/secretKeyRef/name").asString(),
					variable.at("/valueFrom/secretKeyRef/key").asString()))
			.toList();
	}

	/** Egress rule after those for DNS and Comfy Cloud. */
	private static JsonNode egress(Manifests manifests) {
		JsonNode egress = manifests.only("NetworkPolicy").at("/spec/egress");
		assertThat(egress).hasSize(3);
		return egress.get(2);
	}

	private static List<Integer> ports(String... values) {
		return egress(fleet(values)).at("/ports").valueStream().map(port -> port.at("/port").asInt()).toList();
	}

	private static void assertRejected(String named, String... values) {
		assertThatException().isThrownBy(() -> Chart.render(values)).withMessageContaining(named);
	}

	private static void assertPasswordRejected(String... values) {
		assertThatException().isThrownBy(() -> Chart.render(values))
			.satisfies(rejected -> assertThat(rejected.getMessage()).contains("a secret").doesNotContain(PASSWORD));
	}

}
