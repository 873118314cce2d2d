package dev.comfygateway.log;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggerContextListener;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Loggers that never log in more detail than INFO, even if a setting or an operator
 * changes their level at run time. At DEBUG, Jetty logs the headers and bytes that its
 * client sends, including the key, in classes that its server uses too. Lettuce and Netty
 * log commands to Redis, including its password.
 */
final class PinnedLoggers implements LoggerContextListener {

	private static final List<String> PINNED = List.of("org.eclipse.jetty", "io.lettuce", "io.netty");

	private static final Level MOST_DETAILED = Level.INFO;

	private PinnedLoggers() {
	}

	/** Corrects the existing levels, and each level that is set later. */
	static void pin(LoggerContext context) {
		if (context.getCopyOfListenerList().stream().noneMatch(PinnedLoggers.class::isInstance)) {
			context.addListener(new PinnedLoggers());
		}
		PINNED.forEach(name -> correct(context.getLogger(name)));
		context.getLoggerList().forEach(PinnedLoggers::correct);
	}

	private static void correct(Logger logger) {
		String name = logger.getName();
		@Nullable Level level = logger.getLevel();
		boolean inherits = level == null && !PINNED.contains(name);
		if (PINNED.stream().anyMatch(pinned -> name.equals(pinned) || name.startsWith(pinned + ".")) && !inherits
				&& (level == null || !level.isGreaterOrEqual(MOST_DETAILED))) {
			logger.setLevel(MOST_DETAILED);
		}
	}

	@Override
	public void onLevelChange(Logger logger, Level level) {
		correct(logger);
	}

	/** Keeps this listener when the configuration is reset. */
	@Override
	public boolean isResetResistant() {
		return true;
	}

	@Override
	public void onReset(LoggerContext context) {
		pin(context);
	}

	@Override
	public void onStart(LoggerContext context) {
		pin(context);
	}

	@Override
	public void onStop(LoggerContext context) {
		// No more lines are logged
	}

}
