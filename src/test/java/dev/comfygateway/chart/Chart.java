package dev.comfygateway.chart;

import com.marcnuri.helm.Helm;
import com.marcnuri.helm.TemplateCommand;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.springframework.util.FileSystemUtils;
import tools.jackson.databind.JsonNode;

import static org.assertj.core.api.Assertions.assertThat;

/** The chart, rendered by Helm. */
final class Chart {

	static final Path DIRECTORY = Path.of("helm/comfy-gateway").toAbsolutePath();

	/** Values files of single options, which need not run on a cluster. */
	static final Path OPTIONS = Path.of("src/test/resources/chart").toAbsolutePath();

	/** Namespace for which the chart is rendered. */
	static final String NAMESPACE = "comfy";

	/**
	 * Copy in which the pod of {@code helm test} is not a hook: the embedded Helm renders
	 * hooks separately and does not return them.
	 */
	private static final Path WITHOUT_HOOKS = withoutHooks();

	/** The oldest Kubernetes that the chart supports. */
	static final String KUBERNETES = "1.30.0";

	private Chart() {
	}

	/** Values files, one per scenario. */
	static List<Path> scenarios() {
		return files(DIRECTORY.resolve("ci"));
	}

	static List<Path> options() {
		return files(OPTIONS);
	}

	private static List<Path> files(Path directory) {
		try (Stream<Path> files = Files.list(directory)) {
			return files.sorted().toList();
		}
		catch (IOException e) {
			throw new UncheckedIOException(e);
		}
	}

	/**
	 * Renders the chart as a release named {@code gw}.
	 * @param values values such as {@code replicaCount=3}
	 */
	static Manifests render(String... values) {
		return renderAs("gw", values);
	}

	static Manifests renderAs(String release, String... values) {
		TemplateCommand template = template(release);
		for (String value : values) {
			String[] pair = value.split("=", 2);
			template.set(pair[0], pair[1]);
		}
		return new Manifests(template.call());
	}

	static Manifests render(Path valuesFile) {
		return new Manifests(template("gw").withValuesFile(valuesFile).call());
	}

	private static TemplateCommand template(String release) {
		return new Helm(WITHOUT_HOOKS).template()
			.withName(release)
			.withNamespace(NAMESPACE)
			.withKubeVersion(KUBERNETES);
	}

	/** Notes that Helm prints after installing the chart as {@code gw}. */
	static String notes(String... values) {
		var install = new Helm(DIRECTORY).install()
			.withName("gw")
			.withNamespace(NAMESPACE)
			.withKubeVersion(KUBERNETES)
			.clientOnly()
			.dryRun();
		for (String value : values) {
			String[] pair = value.split("=", 2);
			install.set(pair[0], pair[1]);
		}
		return install.call().getOutput();
	}

	private static Path withoutHooks() {
		try {
			Path parent = Files.createDirectories(Path.of("target", "chart").toAbsolutePath());
			Path copy = copy(Files.createTempDirectory(parent, ""));
			Path test = copy.resolve("templates/tests/answers.yaml");
			String hook = "    helm.sh/hook: test\n";
			assertThat(Files.readString(test)).contains(hook);
			Files.writeString(test, Files.readString(test).replace(hook, ""));
			return copy;
		}
		catch (IOException e) {
			throw new UncheckedIOException(e);
		}
	}

	/** Copies the chart, for a test that changes it. */
	static Path copy(Path directory) throws IOException {
		Path copy = directory.resolve("comfy-gateway");
		FileSystemUtils.copyRecursively(DIRECTORY, copy);
		return copy;
	}

	/** Manifests of one release. */
	record Manifests(String text, List<JsonNode> all) {

		Manifests(String text) {
			this(text, Yamls.documents(text));
		}

		List<JsonNode> of(String kind) {
			return all.stream().filter(manifest -> manifest.at("/kind").asString().equals(kind)).toList();
		}

		/** Returns the only manifest of a kind. */
		JsonNode only(String kind) {
			assertThat(of(kind)).as(kind).hasSize(1);
			return of(kind).getFirst();
		}

		/** Returns the manifest of a kind with this name. */
		JsonNode named(String kind, String name) {
			return of(kind).stream()
				.filter(manifest -> manifest.at("/metadata/name").asString().equals(name))
				.findFirst()
				.orElseThrow(() -> new AssertionError("There is no %s %s".formatted(kind, name)));
		}

		/** Pod of the Deployment. */
		JsonNode pod() {
			return only("Deployment").at("/spec/template");
		}

		JsonNode container() {
			JsonNode container = pod().at("/spec/containers/0");
			assertThat(container.at("/name").asString()).isEqualTo("comfy-gateway");
			return container;
		}

		/** Environment variables of the container, each as {@code NAME=value}. */
		List<String> environment() {
			return container().path("env")
				.valueStream()
				.map(variable -> variable.at("/name").asString() + "=" + variable.at("/value").asString())
				.toList();
		}

		List<String> kinds() {
			return all.stream().map(manifest -> manifest.at("/kind").asString()).toList();
		}

	}

}
