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
 * Failure report for whatever no other analyzer explains: the messages of the failure and
 * of its causes, without names of classes and values of secrets. Without it the start
 * would end in a stack trace.
 */
@Order(Ordered.LOWEST_PRECEDENCE)
class StartFailureAnalyzer implements FailureAnalyzer {

	private static final int MAX_LENGTH = 500;

	private static final String CUT = "…";

	private static final int MIN_SECRET_LENGTH = 4;

	private static final Pattern SECRET_NAME = Pattern
		.compile("(?i).*(password|passphrase|secret|token|credentials?|api[-_.]?key)");

	/** Key in PEM, or user and password of a URL. */
	private static final Pattern SECRET_TEXT = Pattern.compile("-----BEGIN.*|(?<=//)[^/@\\s]+(?=@)");

	/** Name of a class, with the rest of an object's text. */
	private static final Pattern CLASS = Pattern
		.compile("(?<![\\w/])(?:[a-z][a-z0-9]*[./])+[A-Z][\\w$]*(?:[@\\[{]\\S*)?");

	private final @Nullable BeanFactory beans;

	private final Environment environment;

	/**
	 * Creates the analyzer. Both are absent if the start fails before there is a context.
	 */
	StartFailureAnalyzer(@Nullable BeanFactory beans, @Nullable Environment environment) {
		this.beans = beans;
		this.environment = environment == null ? new StandardEnvironment() : environment;
	}

	@Override
	public @Nullable FailureAnalysis analyze(Throwable failure) {
		return isExplained(failure) ? null : describe(failure);
	}

	/** Asks Spring Boot's analyzers, which have the same order and can come later. */
	private boolean isExplained(Throwable failure) {
		ArgumentResolver arguments = beans == null ? ArgumentResolver.none()
				: ArgumentResolver.of(BeanFactory.class, beans).and(Environment.class, environment);
		return SpringFactoriesLoader.forDefaultResourceLocation()
			.load(FailureAnalyzer.class, arguments, FailureHandler.handleMessage((message, skipped) -> {
				// Needs a context that is not there
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
			// Spring Boot skips it then
			return false;
		}
	}

	private FailureAnalysis describe(Throwable failure) {
		String reasons = reasons(failure).stream()
			.map(reason -> "    " + reason)
			.collect(Collectors.joining(System.lineSeparator()));
		return new FailureAnalysis("The gateway cannot start:%n%n%s".formatted(reasons),
				"Correct the setting that the last lines speak of. For a stack trace set"
						+ " logging.level.org.springframework.boot.diagnostics=debug.",
				failure);
	}

	/** Messages from the outermost to the innermost, without repetitions. */
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
		// Parsers quote their input in lines that are indented
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
