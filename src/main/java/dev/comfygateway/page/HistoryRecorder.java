package dev.comfygateway.page;

import dev.comfygateway.cache.Snapshot;
import dev.comfygateway.cache.UpstreamStatus;
import dev.comfygateway.page.HistoryPoint.State;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Recorder of the last hour in a ring buffer of slots, each with its last queue length. A
 * failure does not replace an answer in its slot. A slot without an answer has the state
 * {@code FAILED} after a failure, and during the cool-down that follows.
 */
class HistoryRecorder {

	static final Duration INTERVAL = Duration.ofSeconds(15);

	static final int SLOTS = 240;

	private final InstantSource clock;

	private final @Nullable Slot[] ring = new @Nullable Slot[SLOTS];

	HistoryRecorder(InstantSource clock) {
		this.clock = clock;
	}

	/** Records the latest result of the upstream. */
	void record(UpstreamStatus status) {
		if (status.failure().isPresent()) {
			failed(status.nextAttemptAt().orElse(Instant.MIN));
		}
		else if (status.up().isPresent()) {
			Snapshot observed = status.observed().orElse(null);
			known(observed == null ? null : observed.promptInfo().remaining());
		}
	}

	/**
	 * Records an answer.
	 * @param queueRemaining queue length of the answer; {@code null} if it has none
	 */
	synchronized void known(@Nullable Long queueRemaining) {
		long number = currentSlot();
		put(number, new HistoryPoint(begin(number), queueRemaining, State.KNOWN), Instant.MIN);
	}

	/**
	 * Records a failure.
	 * @param until end of the cool-down after the failure
	 */
	synchronized void failed(Instant until) {
		long number = currentSlot();
		Slot current = slot(number);
		put(number, current != null ? current.point : new HistoryPoint(begin(number), null, State.FAILED), until);
	}

	private void put(long number, HistoryPoint point, Instant failedUntil) {
		ring[index(number)] = new Slot(point, failedUntil);
	}

	/** Returns every slot of the last hour. */
	synchronized PromptHistory history() {
		long current = currentSlot();
		List<HistoryPoint> points = new ArrayList<>(SLOTS);
		Instant failedUntil = failedUntilBefore(current - SLOTS + 1);
		for (long number = current - SLOTS + 1; number <= current; number++) {
			Slot slot = slot(number);
			if (slot == null) {
				Instant begin = begin(number);
				points.add(new HistoryPoint(begin, null, begin.isBefore(failedUntil) ? State.FAILED : State.UNASKED));
			}
			else {
				points.add(slot.point);
				failedUntil = slot.failedUntil;
			}
		}
		return new PromptHistory(INTERVAL.toSeconds(), points);
	}

	/**
	 * Returns the end of the cool-down of the latest earlier slot that is still in the
	 * ring.
	 */
	private Instant failedUntilBefore(long first) {
		Slot last = null;
		for (Slot slot : ring) {
			if (slot != null && slot.point.at().isBefore(begin(first))
					&& (last == null || slot.point.at().isAfter(last.point.at()))) {
				last = slot;
			}
		}
		return last == null ? Instant.MIN : last.failedUntil;
	}

	/**
	 * Returns the slot with this number; {@code null} if the ring has an older slot at
	 * its index.
	 */
	private @Nullable Slot slot(long number) {
		Slot stored = ring[index(number)];
		return stored != null && stored.point.at().equals(begin(number)) ? stored : null;
	}

	private long currentSlot() {
		return Math.floorDiv(clock.instant().getEpochSecond(), INTERVAL.toSeconds());
	}

	private static int index(long number) {
		return Math.floorMod(number, SLOTS);
	}

	private static Instant begin(long number) {
		return Instant.ofEpochSecond(number * INTERVAL.toSeconds());
	}

	/**
	 * Slot with a request to the upstream.
	 *
	 * @param point point that callers receive
	 * @param failedUntil end of the cool-down, if the latest result is a failure
	 */
	private record Slot(HistoryPoint point, Instant failedUntil) {
	}

}
