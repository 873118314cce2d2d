package dev.comfygateway.log;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;

/**
 * Log of bugs. Each is logged once, by class and place, without its message: that can
 * contain the key or text of a caller.
 */
public final class BugLog {

	private static final int MAX_BUGS = 100;

	private final Set<String> bugs = ConcurrentHashMap.newKeySet();

	private final Logger log;

	private final String subject;

	/**
	 * Creates the log.
	 * @param subject what ended in a bug, as the begin of the line
	 */
	public BugLog(Logger log, String subject) {
		this.log = log;
		this.subject = subject;
	}

	/** Logs a bug, unless it was logged before. */
	public void log(Throwable bug) {
		StackTraceElement[] trace = bug.getStackTrace();
		String what = bug.getClass().getName() + " at " + (trace.length == 0 ? "an unknown place" : trace[0]);
		if (bugs.size() < MAX_BUGS && bugs.add(what)) {
			log.error("{} ended in a bug: {}", subject, what);
		}
	}

}
