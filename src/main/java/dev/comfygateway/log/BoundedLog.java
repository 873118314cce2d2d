package dev.comfygateway.log;

import ch.qos.logback.classic.AsyncAppender;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.status.StatusManager;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.slf4j.LoggerFactory;
import org.springframework.boot.context.event.ApplicationEnvironmentPreparedEvent;
import org.springframework.boot.context.logging.LoggingApplicationListener;
import org.springframework.context.ApplicationListener;
import org.springframework.core.Ordered;

/**
 * Listener that places a bounded queue in front of every appender that Spring Boot has
 * configured. If the output is not read, the queue fills up and lines are dropped, so
 * that no thread blocks. Spring Boot's shutdown hook writes the queued lines, even after
 * a failed start.
 */
public class BoundedLog implements ApplicationListener<ApplicationEnvironmentPreparedEvent>, Ordered {

	/**
	 * Length of the queue. By Logback's default, its last fifth is reserved for warnings
	 * and errors.
	 */
	private static final int MAX_QUEUED = 1024;

	@Override
	public void onApplicationEvent(ApplicationEnvironmentPreparedEvent event) {
		if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
			PinnedLoggers.pin(context);
			// Status listeners print on the thread that reports the status
			StatusManager statuses = context.getStatusManager();
			statuses.getCopyOfStatusListenerList().forEach(statuses::remove);
			// An AsyncAppender accepts only one appender
			Logger root = context.getLogger(Logger.ROOT_LOGGER_NAME);
			for (Appender<ILoggingEvent> appender : appenders(root)) {
				root.detachAppender(appender);
				root.addAppender(queueOf(appender, context));
			}
		}
	}

	private static List<Appender<ILoggingEvent>> appenders(Logger logger) {
		List<Appender<ILoggingEvent>> appenders = new ArrayList<>();
		for (Iterator<Appender<ILoggingEvent>> all = logger.iteratorForAppenders(); all.hasNext();) {
			Appender<ILoggingEvent> appender = all.next();
			if (!(appender instanceof AsyncAppender)) {
				appenders.add(appender);
			}
		}
		return appenders;
	}

	private static AsyncAppender queueOf(Appender<ILoggingEvent> appender, LoggerContext context) {
		AsyncAppender queue = new AsyncAppender();
		queue.setContext(context);
		queue.setName("queue of " + appender.getName());
		queue.setQueueSize(MAX_QUEUED);
		queue.setNeverBlock(true);
		queue.addAppender(appender);
		queue.start();
		return queue;
	}

	/** Runs directly after Spring Boot has configured Logback. */
	@Override
	public int getOrder() {
		return LoggingApplicationListener.DEFAULT_ORDER + 1;
	}

}
