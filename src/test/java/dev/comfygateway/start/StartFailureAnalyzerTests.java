package dev.comfygateway.start;

import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.BeanCreationException;
import org.springframework.beans.factory.support.DefaultListableBeanFactory;
import org.springframework.boot.web.server.PortInUseException;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.StandardEnvironment;

import static org.assertj.core.api.Assertions.assertThat;

class StartFailureAnalyzerTests {

	private final StandardEnvironment environment = new StandardEnvironment();

	private final StartFailureAnalyzer analyzer = new StartFailureAnalyzer(new DefaultListableBeanFactory(),
			environment);

	@Test
	void analyzeWhenNoOtherAnalyzerExplainsListsEachReasonOnce() {
		String description = describe(new BeanCreationException("bean", "of bean",
				new IllegalStateException("outer: inner", new IllegalArgumentException("inner"))));
		assertThat(description.lines().map(String::strip).toList()).containsExactly("The gateway cannot start:", "",
				"outer: inner");
	}

	@Test
	void analyzeWhenAnotherAnalyzerExplainsReturnsNull() {
		assertThat(analyzer.analyze(new PortInUseException(8080))).isNull();
	}

	@Test
	void analyzeWhenThereIsNoContextReturnsAnalysis() {
		assertThat(new StartFailureAnalyzer(null, null).analyze(new IllegalStateException("reason"))).isNotNull();
	}

	@Test
	void analyzeWhenThereIsNoMessageNamesTheType() {
		assertThat(describe(new IllegalStateException(new UnsupportedOperationException())))
			.contains("UnsupportedOperationException");
	}

	@Test
	void descriptionHasNoClassNamesAndNoFieldValues() {
		assertThat(describe(
				new IllegalStateException("bad value for org.example.Pool[state]@1f{a=b} in org/example/Pool")))
			.endsWith("bad value for … in …");
	}

	@Test
	void descriptionHasNoSecrets() {
		environment.getPropertySources()
			.addFirst(new MapPropertySource("test", Map.of("server.ssl.key-store-password", "hidden1", "COMFY_API_KEY",
					"hidden2", "other.token", "hidden3${none}")));
		assertThat(
				describe(new IllegalStateException("hidden1 hidden2 hidden3${none} redis://user:hidden4@host -----BEGIN"
						+ " PRIVATE KEY-----hidden5\n    quoted: hidden6")))
			.doesNotContain("hidden")
			.contains("redis://***@host");
	}

	private String describe(Throwable failure) {
		return Objects.requireNonNull(analyzer.analyze(failure)).getDescription();
	}

}
