package dev.comfygateway.support;

import java.time.Duration;
import org.awaitility.Awaitility;
import org.awaitility.pollinterval.IterativePollInterval;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Extension of all tests that polls conditions immediately and then at increasing
 * intervals. By default, Awaitility waits 100 ms before each poll.
 */
public final class EarlyPolls implements BeforeAllCallback {

	private static final Duration FIRST_INTERVAL = Duration.ofMillis(2);

	private static final Duration MAX_INTERVAL = Duration.ofMillis(100);

	@Override
	public void beforeAll(ExtensionContext context) {
		Awaitility.setDefaultPollInterval(IterativePollInterval.iterative(EarlyPolls::next, FIRST_INTERVAL));
	}

	private static Duration next(Duration previous) {
		Duration next = previous.multipliedBy(3).dividedBy(2);
		return next.compareTo(MAX_INTERVAL) < 0 ? next : MAX_INTERVAL;
	}

}
