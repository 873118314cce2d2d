package dev.comfygateway.chart;

import dev.comfygateway.chart.Chart.Manifests;
import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests of the routes to the gateway: those of the chart, and the examples for other
 * gateways, which contain the address of a release {@code comfy-gateway}.
 */
class ChartRoutesTests {

	private static final List<String> DOCS = List.of("Exact /v3/api-docs", "Exact /v3/api-docs.yaml",
			"Exact /v3/api-docs/swagger-config", "Exact /swagger-ui.html");

	@Test
	void ingressRoutesOnlyThePrompt() {
		Manifests manifests = Chart.render("ingress.enabled=true", "ingress.host=comfy.example.com",
				"ingress.className=traefik");
		JsonNode ingress = manifests.only("Ingress").at("/spec");
		assertThat(ingress).isEqualTo(new JsonMapper().readTree("""
				{"ingressClassName": "traefik", "rules": [{"host": "comfy.example.com", "http": {"paths": [
					{"path": "/api/prompt", "pathType": "Exact", "backend": {"service": {
						"name": "gw-comfy-gateway", "port": {"name": "http"}}}},
					{"path": "/api/prompt/events", "pathType": "Exact", "backend": {"service": {
						"name": "gw-comfy-gateway", "port": {"name": "http"}}}}]}}]}"""));
		assertThat(manifests.named("Service", "gw-comfy-gateway").at("/spec/ports/0/name").asString())
			.isEqualTo("http");
	}

	@Test
	void ingressWhenDocsAreEnabledRoutesThemToo() {
		JsonNode paths = Chart.render("ingress.enabled=true", "ingress.docs=true")
			.only("Ingress")
			.at("/spec/rules/0/http/paths");
		assertThat(paths.valueStream().map(path -> path.at("/pathType").asString() + " " + path.at("/path").asString()))
			.contains("Exact /api/prompt", "Exact /api/prompt/events", "Prefix /swagger-ui")
			.containsAll(DOCS)
			.hasSize(7);
	}

	@Test
	void ingressWhenThePageIsEnabledRoutesItToo() {
		JsonNode paths = Chart.render("ingress.enabled=true", "ingress.page=true")
			.only("Ingress")
			.at("/spec/rules/0/http/paths");
		assertThat(paths.valueStream().map(path -> path.at("/pathType").asString() + " " + path.at("/path").asString()))
			.containsExactlyInAnyOrder("Exact /api/prompt", "Exact /api/prompt/events", "Exact /",
					"Exact /api/prompt/history", "Prefix /page", "Prefix /webjars/uplot");
	}

	@Test
	void ingressWhenCertificateIsGivenHasTls() {
		JsonNode tls = Chart.render("ingress.enabled=true", "ingress.host=a.example.com", "ingress.tlsSecret=a")
			.only("Ingress")
			.at("/spec/tls");
		assertThat(tls)
			.isEqualTo(new JsonMapper().readTree("[{\"secretName\": \"a\", \"hosts\": [\"a.example.com\"]}]"));
	}

	@Test
	void httpRouteRoutesOnlyThePrompt() {
		Manifests manifests = Chart.render(Chart.DIRECTORY.resolve("ci/gateway-api-values.yaml"));
		assertThat(manifests.only("HTTPRoute").at("/spec")).isEqualTo(new JsonMapper().readTree("""
				{"parentRefs": [{"name": "public", "namespace": "gateways"}], "hostnames": ["comfy.example.com"],
				"rules": [{"matches": [{"path": {"type": "Exact", "value": "/api/prompt"}}],
					"backendRefs": [{"name": "gw-comfy-gateway", "port": 8080}]},
					{"matches": [{"path": {"type": "Exact", "value": "/api/prompt/events"}}],
					"timeouts": {"request": "0s", "backendRequest": "0s"},
					"backendRefs": [{"name": "gw-comfy-gateway", "port": 8080}]}]}"""));
	}

	@Test
	void httpRouteWhenThePageIsEnabledRoutesItToo() {
		JsonNode rules = Chart.render("httpRoute.enabled=true", "httpRoute.page=true")
			.only("HTTPRoute")
			.at("/spec/rules");
		assertThat(rules.at("/2/matches")
			.valueStream()
			.map(match -> match.at("/path/type").asString() + " " + match.at("/path/value").asString()))
			.containsExactlyInAnyOrder("Exact /", "Exact /api/prompt/history", "PathPrefix /page",
					"PathPrefix /webjars/uplot");
		assertThat(rules.at("/2/backendRefs")).isEqualTo(rules.at("/0/backendRefs"));
		assertThat(rules.at("/0/matches")).hasSize(1);
	}

	@Test
	void httpRouteWhenDocsAreEnabledRoutesThemToo() {
		JsonNode matches = Chart.render("httpRoute.enabled=true", "httpRoute.docs=true", "service.port=80")
			.only("HTTPRoute")
			.at("/spec/rules/0/matches");
		assertThat(matches.valueStream()
			.map(match -> match.at("/path/type").asString() + " " + match.at("/path/value").asString()))
			.contains("Exact /api/prompt", "PathPrefix /swagger-ui")
			.containsAll(DOCS)
			.hasSize(6);
	}

	@Test
	void kongRoutesOnlyThePrompt() throws IOException {
		JsonNode kong = Yamls.file("examples/kong.yaml");
		assertThat(kong.at("/_format_version").asString()).isEqualTo("3.0");
		assertThat(kong.at("/services")).hasSize(1);
		JsonNode service = kong.at("/services/0");
		assertIsGateway(service.at("/url").asString());
		assertThat(service.at("/read_timeout").asInt()).isGreaterThan(2500);
		assertThat(service.at("/retries").asInt(-1)).isZero();
		JsonNode route = service.at("/routes/0");
		assertThat(route.at("/strip_path").asBoolean(true)).isFalse();
		assertThat(route.at("/paths")).hasSize(1);
		// A regular expression after ~, which Kong anchors at the start
		String path = route.at("/paths/0").asString();
		assertThat(path).startsWith("~/");
		Pattern pattern = Pattern.compile(path.substring(1));
		assertThat(Stream.of("/api/prompt", "/api/prompt/x", "/api/promptx", "/actuator/health")
			.filter(candidate -> pattern.matcher(candidate).matches())).containsExactly("/api/prompt");
	}

	@Test
	void springCloudGatewayRoutesOnlyThePrompt() throws IOException {
		JsonNode routes = Yamls.file("examples/spring-cloud-gateway.yaml")
			.at("/spring/cloud/gateway/server/webflux/routes");
		assertThat(routes).hasSize(1);
		assertIsGateway(routes.at("/0/uri").asString());
		assertThat(routes.at("/0/predicates").valueStream().map(JsonNode::asString)).containsExactly("Path=/api/prompt",
				"Method=GET,HEAD,OPTIONS");
	}

	@Test
	void autoscalerReadsTheQueueFromTheGateway() throws IOException {
		JsonNode scaled = Yamls.file("examples/keda-scaledobject.yaml");
		KubernetesModel.check(scaled);
		JsonNode trigger = scaled.at("/spec/triggers/0");
		assertThat(trigger.at("/type").asString()).isEqualTo("metrics-api");
		String url = trigger.at("/metadata/url").asString();
		assertThat(url).endsWith("/api/prompt");
		assertIsGateway(url.replaceFirst("/api/prompt$", ""));
		assertThat(trigger.at("/metadata/valueLocation").asString()).isEqualTo("exec_info.queue_remaining");
		assertThat(trigger.at("/metricType").asString()).isEqualTo("AverageValue");
		// KEDA requires strings in its metadata
		assertThat(trigger.at("/metadata").valueStream()).allMatch(JsonNode::isString);
	}

	@Test
	void autoscalerWhenQueueIsUnknownKeepsRunningWorkers() throws IOException {
		JsonNode spec = Yamls.file("examples/keda-scaledobject.yaml").at("/spec");
		assertThat(spec.at("/fallback/replicas").asInt()).isPositive();
		assertThat(spec.at("/fallback/behavior").asString()).isEqualTo("currentReplicasIfHigher");
		assertThat(spec.at("/minReplicaCount").asInt()).isPositive();
	}

	/** Asserts that the address is that of the callers' Service. */
	private static void assertIsGateway(String url) {
		Manifests manifests = Chart.renderAs("comfy-gateway");
		URI uri = URI.create(url);
		assertThat(uri.getScheme()).isEqualTo("http");
		assertThat(uri.getPath()).isEmpty();
		String[] host = uri.getHost().split("\\.", 2);
		assertThat(host[1]).isEqualTo(Chart.NAMESPACE + ".svc");
		assertThat(manifests.named("Service", host[0]).at("/spec/ports/0/port").asInt()).isEqualTo(uri.getPort());
		assertThat(manifests.named("Service", host[0]).at("/spec/ports/0/targetPort").asString()).isEqualTo("http");
	}

}
