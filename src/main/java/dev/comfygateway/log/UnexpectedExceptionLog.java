package dev.comfygateway.log;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;

/**
 * Log of unexpected exceptions. Each one is logged once, with its class and location but
 * without its message, which can contain the key or text of a caller.
 */
public final class UnexpectedExceptionLog {

	private static final int MAX_LOGGED = 100;

	private final Set<String> logged = ConcurrentHashMap.newKeySet();

	private final Logger log;

	private final String subject;

	/**
	 * Creates the log.
	 * @param subject operation that failed, as the beginning of the line
	 */
	public UnexpectedExceptionLog(Logger log, String subject) {
		this.log = log;
		this.subject = subject;
	}

	/** Logs an exception, unless it has been logged before. */
	public void log(Throwable unexpected) {
		StackTraceElement[] trace = unexpected.getStackTrace();
		String what = unexpected.getClass().getName() + " at " + (trace.length == 0 ? "an unknown location" : trace[0]);
		if (logged.size() < MAX_LOGGED && logged.add(what)) {
			log.error("{} failed with an unexpected exception: {}", subject, what);
		}
	}

}
