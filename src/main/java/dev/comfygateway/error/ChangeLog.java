package dev.comfygateway.error;

import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;

/**
 * Damping of the log of a state. A state is logged when it begins, unless it was logged
 * in the same minute. Such changes are counted, and one line a minute has their number.
 */
public final class ChangeLog {

	private static final long MINUTE = TimeUnit.MINUTES.toNanos(1);

	/** States that are logged at once; what an upstream sends can be one. */
	private static final int MAX_STATES = 8;

	private final Set<String> logged = new HashSet<>();

	private String state;

	private long minuteSince;

	private int changes;

	/**
	 * Creates the log.
	 * @param initial state that is not logged at first
	 */
	public ChangeLog(String initial) {
		this.state = initial;
	}

	/**
	 * Notes the present state, changed or not: the end of a minute is seen here.
	 * @param now time in nanoseconds
	 * @param line logs the present state
	 * @param summary logs the present state and a number of changes that were not logged
	 */
	public synchronized void note(String present, long now, Runnable line, IntConsumer summary) {
		boolean changed = !present.equals(state);
		state = present;
		if (now - minuteSince >= MINUTE) {
			if (changes > 0) {
				int counted = changed ? changes + 1 : changes;
				changes = 0;
				minuteSince = now;
				logged.add(present);
				summary.accept(counted);
				return;
			}
			logged.clear();
		}
		if (!changed) {
			return;
		}
		if (logged.isEmpty()) {
			minuteSince = now;
		}
		if (logged.size() < MAX_STATES && logged.add(present)) {
			line.run();
		}
		else {
			changes++;
		}
	}

}
