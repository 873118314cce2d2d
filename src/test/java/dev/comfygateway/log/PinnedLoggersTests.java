package dev.comfygateway.log;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

class PinnedLoggersTests {

	private static final String SENDER = "org.eclipse.jetty.client.transport.HttpSender";

	private final LoggerContext context = new LoggerContext();

	@ParameterizedTest
	@ValueSource(strings = { Logger.ROOT_LOGGER_NAME, "org", "org.eclipse", "org.eclipse.jetty",
			"org.eclipse.jetty.client", SENDER })
	void levelWhenSetBeforeOrAfterIsInfo(String name) {
		context.getLogger(name).setLevel(Level.TRACE);
		PinnedLoggers.pin(context);
		assertPinned();
		context.getLogger(name).setLevel(Level.DEBUG);
		context.getLogger(name).setLevel(Level.TRACE);
		assertPinned();
		assertThat(context.getLogger("org.eclipse.jettyisnotit").isInfoEnabled()).isTrue();
	}

	@Test
	void levelWhenRemovedIsInfo() {
		PinnedLoggers.pin(context);
		context.getLogger(Logger.ROOT_LOGGER_NAME).setLevel(Level.ERROR);
		context.getLogger("org.eclipse.jetty").setLevel(Level.WARN);
		context.getLogger("org.eclipse.jetty").setLevel(null);
		context.getLogger(SENDER).setLevel(null);
		context.getLogger(Logger.ROOT_LOGGER_NAME).setLevel(Level.TRACE);
		assertPinned();
	}

	@Test
	void levelWhenConfigurationIsResetIsInfo() {
		PinnedLoggers.pin(context);
		context.reset();
		context.getLogger(Logger.ROOT_LOGGER_NAME).setLevel(Level.TRACE);
		context.getLogger(SENDER).setLevel(Level.TRACE);
		assertPinned();
	}

	@Test
	void levelWhenLessDetailedIsKept() {
		PinnedLoggers.pin(context);
		context.getLogger("org.eclipse.jetty").setLevel(Level.ERROR);
		assertThat(context.getLogger(SENDER).isWarnEnabled()).isFalse();
		context.getLogger("org.eclipse.jetty.server").setLevel(Level.OFF);
		assertThat(context.getLogger("org.eclipse.jetty.server.Server").isErrorEnabled()).isFalse();
		context.getLogger("dev.comfygateway").setLevel(Level.TRACE);
		assertThat(context.getLogger("dev.comfygateway").isTraceEnabled()).isTrue();
	}

	private void assertPinned() {
		assertThat(context.getLogger(SENDER).isDebugEnabled()).isFalse();
		assertThat(context.getLogger(SENDER).isInfoEnabled()).isTrue();
		assertThat(context.getLogger("org.eclipse.jetty.io.WriteFlusher").isDebugEnabled()).isFalse();
	}

}
