package dev.comfygateway.chart;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPRoute;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.cfg.MapperConfig;
import tools.jackson.databind.introspect.Annotated;
import tools.jackson.databind.introspect.JacksonAnnotationIntrospector;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Strict validation of manifests against the Kubernetes model. The model itself ignores
 * unknown fields and accepts a string for a number; this class rejects both.
 */
final class KubernetesModel {

	private static final Map<String, Class<? extends HasMetadata>> KINDS = Map.ofEntries(
			Map.entry("v1 ConfigMap", ConfigMap.class), Map.entry("v1 Pod", Pod.class),
			Map.entry("v1 Secret", Secret.class), Map.entry("v1 Service", Service.class),
			Map.entry("v1 ServiceAccount", ServiceAccount.class), Map.entry("apps/v1 Deployment", Deployment.class),
			Map.entry("autoscaling/v2 HorizontalPodAutoscaler", HorizontalPodAutoscaler.class),
			Map.entry("gateway.networking.k8s.io/v1 HTTPRoute", HTTPRoute.class),
			Map.entry("networking.k8s.io/v1 Ingress", Ingress.class),
			Map.entry("networking.k8s.io/v1 NetworkPolicy", NetworkPolicy.class),
			Map.entry("policy/v1 PodDisruptionBudget", PodDisruptionBudget.class));

	/** Fields of kinds without a model, as far as the chart uses them. */
	private static final Map<String, Pattern> FIELDS = Map.of("monitoring.coreos.com/v1 ServiceMonitor", Pattern
		.compile("jobLabel|selector/matchLabels/.*|endpoints/\\d+/(port|path|interval|scrapeTimeout|scheme"
				+ "|tlsConfig/.*|(r|metricR)elabelings/\\d+/(action|regex|replacement|sourceLabels/\\d+|targetLabel))"),
			"monitoring.coreos.com/v1 PrometheusRule",
			Pattern.compile(
					"groups/\\d+/(name|rules/\\d+/(alert|expr|for|labels/[a-z]+|annotations/(summary|description|runbook_url)))"),
			"keda.sh/v1alpha1 ScaledObject",
			Pattern.compile("scaleTargetRef/name|pollingInterval|cooldownPeriod|minReplicaCount|maxReplicaCount"
					+ "|fallback/(failureThreshold|replicas|behavior)|triggers/\\d+/(type|metricType|useCachedMetrics"
					+ "|metadata/(url|format|valueLocation|targetValue|activationTargetValue))"));

	private static final JsonMapper STRICT = JsonMapper.builder()
		.annotationIntrospector(new NothingUnknown())
		.enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
		.disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
		.build();

	private KubernetesModel() {
	}

	/** Checks that every field exists and has the correct type. */
	static void check(JsonNode manifest) {
		String kind = manifest.at("/apiVersion").asString() + " " + manifest.at("/kind").asString();
		Class<? extends HasMetadata> model = KINDS.get(kind);
		if (model != null) {
			STRICT.treeToValue(manifest, model);
			return;
		}
		Pattern fields = FIELDS.get(kind);
		if (fields == null) {
			throw new AssertionError("There is no model of " + kind);
		}
		assertThat(manifest.propertyNames()).containsExactlyInAnyOrder("apiVersion", "kind", "metadata", "spec");
		assertThat(leaves(manifest.at("/spec"), "")).isNotEmpty().allMatch(fields.asMatchPredicate());
	}

	private static List<String> leaves(JsonNode node, String path) {
		List<String> leaves = new ArrayList<>();
		if (node.isObject()) {
			node.properties().forEach(entry -> leaves.addAll(leaves(entry.getValue(), path + "/" + entry.getKey())));
		}
		else if (node.isArray()) {
			for (int i = 0; i < node.size(); i++) {
				leaves.addAll(leaves(node.get(i), path + "/" + i));
			}
		}
		else {
			leaves.add(path.substring(1));
		}
		return leaves;
	}

	/** Ignores those annotations of the model that allow unknown fields. */
	private static final class NothingUnknown extends JacksonAnnotationIntrospector {

		private static final long serialVersionUID = 1L;

		@Override
		public Boolean hasAnySetter(MapperConfig<?> config, Annotated annotated) {
			return false;
		}

		@Override
		public JsonIgnoreProperties.Value findPropertyIgnoralByName(MapperConfig<?> config, Annotated annotated) {
			return super.findPropertyIgnoralByName(config, annotated).withoutIgnoreUnknown();
		}

	}

}
