package dev.comfygateway.start;

import java.util.stream.Collectors;
import org.springframework.boot.context.properties.bind.UnboundConfigurationPropertiesException;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;

/**
 * Failure analyzer for settings that do not exist. It runs before Spring Boot's own
 * analyzer, which prints their values: one of them can be the key under a misspelled
 * name.
 */
@Order(Ordered.HIGHEST_PRECEDENCE)
class UnknownSettingFailureAnalyzer extends AbstractFailureAnalyzer<UnboundConfigurationPropertiesException> {

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, UnboundConfigurationPropertiesException cause) {
		String names = cause.getUnboundProperties()
			.stream()
			.map(property -> property.getName().toString())
			.sorted()
			.collect(Collectors.joining(", "));
		return new FailureAnalysis("Unknown settings: %s.".formatted(names), "Correct the name, or remove the setting.",
				cause);
	}

}
