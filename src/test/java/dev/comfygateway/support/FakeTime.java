package dev.comfygateway.support;

import com.github.benmanes.caffeine.cache.Ticker;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.TimeUnit;
import reactor.core.scheduler.Scheduler;
import reactor.test.scheduler.VirtualTimeScheduler;

/**
 * Fake clock, ticker and scheduler, which a test advances. A task runs at exactly the
 * time for which it was scheduled.
 */
public final class FakeTime implements Ticker, InstantSource {

	/** Initial time of the clock. */
	public static final Instant START = Instant.parse("2026-03-01T12:00:00Z");

	// A ticker can start at any value. This one starts close to its overflow, to test it
	private static final long FIRST_READING = Long.MAX_VALUE - TimeUnit.SECONDS.toNanos(3);

	private final VirtualTimeScheduler scheduler = VirtualTimeScheduler.create();

	/** Advances the ticker and the clock, and runs the tasks that become due. */
	public void advance(Duration by) {
		scheduler.advanceTimeBy(by);
	}

	/** Returns the scheduler of this time. */
	public Scheduler scheduler() {
		return scheduler;
	}

	private long elapsed() {
		return scheduler.now(TimeUnit.NANOSECONDS);
	}

	@Override
	public long read() {
		return FIRST_READING + elapsed();
	}

	@Override
	public Instant instant() {
		return START.plusNanos(elapsed());
	}

}
