package dev.comfygateway.container;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

/** Tests of the JVM options of the image, and of options that override them. */
class JvmFlagsTests {

	private static final String FLAGS = "-XX:Flags=src/image/jvm.flags";

	@Test
	void flagsAreSet() throws IOException {
		assertThat(Files.readString(Path.of("Dockerfile")))
			.contains("ENTRYPOINT [\"/opt/jre/bin/java\", \"-XX:Flags=/opt/");
		assertThat(flags("JAVA_TOOL_OPTIONS", "-XX:MaxRAM=256m")).contains("UseSerialGC=true", "MaxHeapSize=109051904",
				"MaxNewSize=12582912", "ReservedCodeCacheSize=50331648", "TieredStopAtLevel=4",
				"ExitOnOutOfMemoryError=true");
	}

	@ParameterizedTest
	@CsvSource({ "-XX:MaxRAMPercentage=60, MaxHeapSize=322961408",
			"-XX:MaxRAM=256m -XX:MaxRAMPercentage=60 -XX:MinRAMPercentage=60, MaxHeapSize=161480704",
			"-Xmx80m, MaxHeapSize=83886080", "-Xmn20m, MaxNewSize=20971520", "-XX:+UseG1GC, UseG1GC=true",
			"-XX:+UseParallelGC, UseParallelGC=true", "-XX:ReservedCodeCacheSize=64m, ReservedCodeCacheSize=67108864",
			"-XX:-ExitOnOutOfMemoryError, ExitOnOutOfMemoryError=false" })
	void operatorOptionsTakePrecedence(String options, String flag) throws IOException {
		assertThat(flags("JAVA_TOOL_OPTIONS", "-XX:MaxRAM=512m " + options)).contains(flag);
		assertThat(flags("JDK_JAVA_OPTIONS", "-XX:MaxRAM=512m " + options)).contains(flag);
	}

	@ParameterizedTest
	@ValueSource(strings = { "-XX:+UseG1GC", "-XX:+UseParallelGC", "-XX:+UseSerialGC", "-XX:+UseZGC" })
	void anyCollectorCanBeSelected(String option) throws IOException {
		assertThat(flags("JAVA_TOOL_OPTIONS", option)).contains(option.replace("-XX:+", "") + "=true");
	}

	/** Flags of a JVM, one {@code name=value} per line. */
	private static String flags(String variable, String options) throws IOException {
		ProcessBuilder java = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
				FLAGS, "-XX:+PrintFlagsFinal", "-version")
			.redirectError(ProcessBuilder.Redirect.DISCARD);
		java.environment().keySet().removeIf(name -> name.matches("_?(JAVA_TOOL|JDK_JAVA|JAVA)_OPTIONS"));
		java.environment().put(variable, options);
		Process process = java.start();
		String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
		assertThat(process.onExit().orTimeout(1, TimeUnit.MINUTES).join().exitValue()).as(output).isZero();
		return output.replaceAll("(?m)^ *\\S+ +(\\w+) += +(\\S+).*$", "$1=$2");
	}

}
