package dev.comfygateway.start;

import dev.comfygateway.InvalidSettingException;
import java.util.Locale;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;

/**
 * Failure analyzer for an invalid setting. It runs before Spring Boot's own analyzers,
 * which print values.
 */
@Order(Ordered.HIGHEST_PRECEDENCE)
class InvalidSettingFailureAnalyzer extends AbstractFailureAnalyzer<InvalidSettingException> {

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, InvalidSettingException cause) {
		String variable = cause.setting().toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
		String description = "The setting %s (environment variable %s) %s.".formatted(cause.setting(), variable,
				cause.reason());
		return new FailureAnalysis(description, cause.action(), cause);
	}

}
