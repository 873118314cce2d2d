package dev.comfygateway.chart;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.springframework.core.io.ClassPathResource;
import org.springframework.core.io.support.PropertiesLoaderUtils;
import tools.jackson.databind.JsonNode;

import static org.assertj.core.api.Assertions.assertThat;

/** Tests that other files repeat the version of {@code pom.xml}. */
class ChartVersionTests {

	@Test
	void chartHasTheVersion() throws IOException {
		JsonNode chart = Yamls.file("Chart.yaml");
		assertThat(chart.at("/appVersion").asString()).isEqualTo(version());
		assertThat(chart.at("/annotations/artifacthub.io~1images").asString())
			.contains("image: comfy-gateway:" + version() + "\n");
	}

	@Test
	void imageHasTheVersion() throws IOException {
		Matcher label = Pattern.compile("(?m)^ARG VERSION=(.*)$").matcher(Files.readString(Path.of("Dockerfile")));
		assertThat(label.find()).isTrue();
		assertThat(label.group(1)).isEqualTo(version());
	}

	/** The copied commands must build and load the image that the chart uses. */
	@Test
	void documentedCommandsUseTheImageOfTheChart() throws IOException {
		Pattern image = Pattern.compile("(?:[ /])(comfy-gateway:[^\\s`]+)");
		for (Path document : List.of(Path.of("README.md"), Path.of("src/docs/operations.md"))) {
			assertThat(image.matcher(Files.readString(document)).results().map(match -> match.group(1)))
				.as("%s", document)
				.contains("comfy-gateway:" + version())
				.containsOnly(Chart.render().container().at("/image").asString());
		}
		assertThat(Files.readString(Path.of("README.md"))).doesNotContain("--tag comfy-gateway .");
	}

	private static String version() throws IOException {
		return PropertiesLoaderUtils.loadProperties(new ClassPathResource("META-INF/build-info.properties"))
			.getProperty("build.version");
	}

}
