package dev.comfygateway.chart;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Parser of YAML documents that rejects duplicate keys. */
final class Yamls {

	private static final JsonMapper JSON = new JsonMapper();

	private Yamls() {
	}

	/** Returns the non-empty documents of a text. */
	static List<JsonNode> documents(String text) {
		LoaderOptions options = new LoaderOptions();
		options.setAllowDuplicateKeys(false);
		List<JsonNode> documents = new ArrayList<>();
		new Yaml(new SafeConstructor(options)).loadAll(text)
			.forEach(document -> documents.add(JSON.valueToTree(document)));
		return documents.stream().filter(Objects::nonNull).filter(document -> !document.isNull()).toList();
	}

	/** Returns the only document of a file of the chart. */
	static JsonNode file(String name) throws IOException {
		return file(Chart.DIRECTORY.resolve(name));
	}

	static JsonNode file(Path path) throws IOException {
		return documents(Files.readString(path)).getFirst();
	}

}
