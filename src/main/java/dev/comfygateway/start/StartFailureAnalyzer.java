package dev.comfygateway.start;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.BeansException;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.FailureAnalyzer;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.EnumerablePropertySource;
import org.springframework.core.env.Environment;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.io.support.SpringFactoriesLoader;
import org.springframework.core.io.support.SpringFactoriesLoader.ArgumentResolver;
import org.springframework.core.io.support.SpringFactoriesLoader.FailureHandler;

/**
 * Failure analyzer for failures that no other analyzer handles. It reports the messages
 * of the failure and of its causes, without class names and without the values of
 * secrets. Otherwise the start would end with a stack trace.
 */
@Order(Ordered.LOWEST_PRECEDENCE)
class StartFailureAnalyzer implements FailureAnalyzer {

	private static final int MAX_LENGTH = 500;

	private static final String CUT = "…";

	private static final int MIN_SECRET_LENGTH = 4;

	private static final Pattern SECRET_NAME = Pattern
		.compile("(?i).*(password|passphrase|secret|token|credentials?|api[-_.]?key)");

	/** PEM content, or user and password of a URL. */
	private static final Pattern SECRET_TEXT = Pattern.compile("-----BEGIN.*|(?<=//)[^/@\\s]+(?=@)");

	/** Class name, including the rest of an object's {@code toString()}. */
	private static final Pattern CLASS = Pattern
		.compile("(?<![\\w/])(?:[a-z][a-z0-9]*[./])+[A-Z][\\w$]*(?:[@\\[{]\\S*)?");

	private final @Nullable BeanFactory beans;

	private final Environment environment;

	/**
	 * Creates the analyzer. Both arguments are null if the start fails before a context
	 * exists.
	 */
	StartFailureAnalyzer(@Nullable BeanFactory beans, @Nullable Environment environment) {
		this.beans = beans;
		this.environment = environment == null ? new StandardEnvironment() : environment;
	}

	@Override
	public @Nullable FailureAnalysis analyze(Throwable failure) {
		return isExplained(failure) ? null : describe(failure);
	}

	/**
	 * Returns whether another analyzer handles the failure. Spring Boot's analyzers have
	 * the same order and can run after this one.
	 */
	private boolean isExplained(Throwable failure) {
		ArgumentResolver arguments = beans == null ? ArgumentResolver.none()
				: ArgumentResolver.of(BeanFactory.class, beans).and(Environment.class, environment);
		return SpringFactoriesLoader.forDefaultResourceLocation()
			.load(FailureAnalyzer.class, arguments, FailureHandler.handleMessage((message, skipped) -> {
				// The analyzer needs a context, which does not exist
			}))
			.stream()
			.filter(analyzer -> !(analyzer instanceof StartFailureAnalyzer))
			.anyMatch(analyzer -> explains(analyzer, failure));
	}

	private static boolean explains(FailureAnalyzer analyzer, Throwable failure) {
		try {
			return analyzer.analyze(failure) != null;
		}
		catch (RuntimeException | LinkageError ignored) {
			// Spring Boot skips such an analyzer
			return false;
		}
	}

	private FailureAnalysis describe(Throwable failure) {
		String reasons = reasons(failure).stream()
			.map(reason -> "    " + reason)
			.collect(Collectors.joining(System.lineSeparator()));
		return new FailureAnalysis("The gateway cannot start:%n%n%s".formatted(reasons),
				"Correct the setting that the last lines refer to. For a stack trace set"
						+ " logging.level.org.springframework.boot.diagnostics=debug.",
				failure);
	}

	/**
	 * Returns the messages from the outermost exception to the innermost, without
	 * repetitions.
	 */
	private List<String> reasons(Throwable failure) {
		List<String> secrets = secrets();
		List<String> reasons = new ArrayList<>();
		for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
			boolean repeatsItsCause = cause instanceof BeansException && cause.getCause() != null;
			if (cause.getMessage() != null && !repeatsItsCause) {
				String reason = text(cause.getMessage(), secrets);
				if (!reason.isBlank() && !reason.equals(CUT)
						&& reasons.stream().noneMatch(outer -> outer.contains(reason))) {
					reasons.add(reason);
				}
			}
		}
		if (reasons.isEmpty()) {
			reasons.add(NestedExceptionUtils.getMostSpecificCause(failure).getClass().getSimpleName());
		}
		return reasons;
	}

	private static String text(String message, List<String> secrets) {
		// Parsers quote their input in indented lines
		String text = message.lines()
			.filter(line -> !line.startsWith("    "))
			.map(String::strip)
			.collect(Collectors.joining(" "));
		for (String secret : secrets) {
			text = text.replace(secret, "***");
		}
		text = SECRET_TEXT.matcher(text).replaceAll("***");
		text = CLASS.matcher(text).replaceAll(CUT);
		return text.length() > MAX_LENGTH ? text.substring(0, MAX_LENGTH) + CUT : text;
	}

	private List<String> secrets() {
		List<String> secrets = new ArrayList<>();
		for (PropertySource<?> source : ((ConfigurableEnvironment) environment).getPropertySources()) {
			if (source instanceof EnumerablePropertySource<?> enumerable) {
				for (String name : enumerable.getPropertyNames()) {
					String value = value(name, enumerable);
					if (SECRET_NAME.matcher(name).matches() && value.length() >= MIN_SECRET_LENGTH) {
						secrets.add(value);
					}
				}
			}
		}
		return secrets;
	}

	private String value(String name, PropertySource<?> source) {
		try {
			return environment.getProperty(name, "");
		}
		catch (IllegalArgumentException ignored) {
			// The value has a placeholder that cannot be resolved
			return String.valueOf(source.getProperty(name));
		}
	}

}
