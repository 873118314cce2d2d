package dev.comfygateway.log;

import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;

/**
 * Rate limiter for the log of a state. Each failure state is logged up to once a minute
 * when it begins. Its end is logged only if its beginning was. Other changes are counted,
 * and one line a minute contains their number.
 */
public final class StateChangeLog {

	private static final long MINUTE = TimeUnit.MINUTES.toNanos(1);

	/**
	 * Maximum number of different failure states that are logged per minute. An upstream
	 * can cause any number of them.
	 */
	private static final int MAX_FAILURES = 8;

	private final String healthyState;

	private final Set<String> logged = new HashSet<>();

	private String state;

	private long minuteSince;

	private int changes;

	private boolean lastLogged = true;

	/**
	 * Creates the log.
	 * @param healthyState state without a failure; it is the initial state, which is not
	 * logged
	 */
	public StateChangeLog(String healthyState) {
		this.healthyState = healthyState;
		this.state = healthyState;
	}

	/**
	 * Records the current state, even if it has not changed, since this method also
	 * detects the end of a minute.
	 * @param now time in nanoseconds
	 * @param line logs the current state
	 * @param summary logs the current state and the number of changes that were not
	 * logged
	 */
	public synchronized void record(String current, long now, Runnable line, IntConsumer summary) {
		boolean changed = !current.equals(state);
		state = current;
		if (now - minuteSince >= MINUTE) {
			if (changes > 0) {
				int counted = changed ? changes + 1 : changes;
				changes = 0;
				minuteSince = now;
				logged.add(current);
				lastLogged = false;
				summary.accept(counted);
				return;
			}
			logged.clear();
			lastLogged = true;
		}
		if (!changed) {
			return;
		}
		if (logged.isEmpty()) {
			minuteSince = now;
		}
		lastLogged = current.equals(healthyState) ? lastLogged : logged.size() < MAX_FAILURES && logged.add(current);
		if (lastLogged) {
			line.run();
		}
		else {
			changes++;
		}
	}

}
