package dev.comfygateway;

import java.io.File;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class ClassPathTests {

	private static List<String> jars() {
		return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
			.map(entry -> Path.of(entry).getFileName().toString())
			.filter(name -> name.endsWith(".jar"))
			.toList();
	}

	@Test
	void jarsHaveReleaseVersions() {
		assertThat(jars()).hasSizeGreaterThan(50)
			.noneMatch(name -> name.matches("(?i).*-\\d.*(alpha|beta|snapshot|[.-]rc\\d*|[.-]m\\d+)[^/]*"));
	}

	/** Transitive dependencies that are not needed. */
	@Test
	void unusedJarsAreAbsent() {
		assertThat(jars()).noneMatch(name -> name.matches("(redis-authx-core|spring-oxm|spring-messaging)-.*"));
	}

}
