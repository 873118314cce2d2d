package dev.comfygateway.start;

import dev.comfygateway.InvalidSettingException;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.FailureAnalyzer;
import org.springframework.core.io.support.SpringFactoriesLoader;

import static org.assertj.core.api.Assertions.assertThat;

class InvalidSettingFailureAnalyzerTests {

	private final InvalidSettingException failure = new InvalidSettingException("comfy.api-key-file", "is not there",
			"Put it there.");

	private final InvalidSettingFailureAnalyzer analyzer = new InvalidSettingFailureAnalyzer();

	@Test
	void analyzeWhenSettingIsRejectedNamesPropertyVariableAndRemedy() {
		FailureAnalysis analysis = Objects.requireNonNull(analyzer.analyze(failure));
		assertThat(analysis.getDescription())
			.isEqualTo("The setting comfy.api-key-file (environment variable COMFY_API_KEY_FILE) is not there.");
		assertThat(analysis.getAction()).isEqualTo("Put it there.");
	}

	@Test
	void analyzeWhenExceptionIsNestedFindsIt() {
		Throwable outer = new IllegalStateException("outer", new IllegalArgumentException("middle", failure));
		FailureAnalysis analysis = Objects.requireNonNull(analyzer.analyze(outer));
		assertThat(analysis.getDescription()).contains("comfy.api-key-file").doesNotContain("outer", "middle");
	}

	@Test
	void analyzeWhenExceptionIsOfAnotherTypeReturnsNull() {
		assertThat(analyzer.analyze(new IllegalStateException())).isNull();
	}

	@Test
	void analyzerWhenLoadedByBootIsFirst() {
		List<FailureAnalyzer> analyzers = SpringFactoriesLoader.forDefaultResourceLocation()
			.load(FailureAnalyzer.class, SpringFactoriesLoader.FailureHandler.handleMessage((message, cause) -> {
				// Some analyzers need an application context
			}));
		assertThat(analyzers).first().isInstanceOf(InvalidSettingFailureAnalyzer.class);
	}

}
