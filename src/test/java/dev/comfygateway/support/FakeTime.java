package dev.comfygateway.support;

import com.github.benmanes.caffeine.cache.Ticker;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** Fake clock and ticker, which a test advances. */
public final class FakeTime implements Ticker, InstantSource {

	/** First time of the clock. */
	public static final Instant START = Instant.parse("2026-03-01T12:00:00Z");

	// A ticker may begin anywhere: close to where its number overflows, so that it does
	private static final long FIRST_READING = Long.MAX_VALUE - TimeUnit.SECONDS.toNanos(3);

	private final AtomicLong elapsed = new AtomicLong();

	/** Advances the ticker and the clock. */
	public void advance(Duration by) {
		elapsed.addAndGet(by.toNanos());
	}

	@Override
	public long read() {
		return FIRST_READING + elapsed.get();
	}

	@Override
	public Instant instant() {
		return START.plusNanos(elapsed.get());
	}

}
