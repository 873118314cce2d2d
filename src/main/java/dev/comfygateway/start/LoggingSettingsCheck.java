package dev.comfygateway.start;

import dev.comfygateway.InvalidSettingException;
import java.nio.charset.Charset;
import java.nio.charset.IllegalCharsetNameException;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.springframework.boot.context.event.ApplicationEnvironmentPreparedEvent;
import org.springframework.boot.context.logging.LoggingApplicationListener;
import org.springframework.boot.io.ApplicationResourceLoader;
import org.springframework.context.ApplicationListener;
import org.springframework.core.Ordered;
import org.springframework.core.env.Environment;
import org.springframework.util.ClassUtils;
import org.springframework.util.StringUtils;
import org.springframework.util.unit.DataSize;

/**
 * Validation of the logging settings before logging starts. If logging cannot start,
 * Spring Boot prints a stack trace instead of a failure report.
 */
class LoggingSettingsCheck implements ApplicationListener<ApplicationEnvironmentPreparedEvent>, Ordered {

	private static final List<String> CHARSETS = List.of("logging.charset.console", "logging.charset.file");

	private static final List<String> SIZES = List.of("logging.logback.rollingpolicy.max-file-size",
			"logging.logback.rollingpolicy.total-size-cap");

	private static final Set<String> FORMATS = Set.of("ecs", "gelf", "logstash");

	@Override
	public void onApplicationEvent(ApplicationEnvironmentPreparedEvent event) {
		Environment environment = event.getEnvironment();
		checkFormat(environment, "logging.structured.format.console");
		checkFormat(environment, "logging.structured.format.file");
		checkConfig(environment.getProperty("logging.config", ""));
		CHARSETS.forEach(setting -> checkCharset(environment, setting));
		SIZES.forEach(setting -> checkSize(environment, setting));
	}

	private static void checkCharset(Environment environment, String setting) {
		String charset = environment.getProperty(setting, "");
		try {
			if (!StringUtils.hasText(charset) || Charset.isSupported(charset.strip())) {
				return;
			}
		}
		catch (IllegalCharsetNameException ignored) {
			// Reported below
		}
		throw new InvalidSettingException(setting, "is not a known character set", "Set it to a value such as UTF-8.");
	}

	private static void checkSize(Environment environment, String setting) {
		String size = environment.getProperty(setting, "");
		try {
			if (StringUtils.hasText(size)) {
				DataSize.parse(size);
			}
		}
		catch (IllegalArgumentException ignored) {
			throw new InvalidSettingException(setting, "is not a valid size", "Set it to a value such as 10MB.");
		}
	}

	private static void checkFormat(Environment environment, String setting) {
		String format = environment.getProperty(setting, "");
		if (StringUtils.hasText(format) && !FORMATS.contains(format.toLowerCase(Locale.ROOT))
				&& !ClassUtils.isPresent(format, null)) {
			throw new InvalidSettingException(setting, "is not a known format", "Set it to ecs, gelf or logstash.");
		}
	}

	private static void checkConfig(String location) {
		if (StringUtils.hasText(location)
				&& !ApplicationResourceLoader.get().getResource(location.strip()).isReadable()) {
			throw new InvalidSettingException("logging.config", "names a file that cannot be read",
					"Name a file that can be read, such as file:/etc/comfy-gateway/logback.xml.");
		}
	}

	@Override
	public int getOrder() {
		return LoggingApplicationListener.DEFAULT_ORDER - 1;
	}

}
