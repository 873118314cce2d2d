package dev.comfygateway.simulator;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.PriorityQueue;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * Queue of an account with two runners: jobs arrive at random, wait, run and finish. The
 * state is computed for the current time of the clock when it is read.
 */
final class SimulatedQueue {

	private static final int RUNNERS = 2;

	private static final Duration BETWEEN_ARRIVALS = Duration.ofSeconds(3);

	private static final Duration MIN_RUN = Duration.ofSeconds(2);

	private static final Duration MAX_RUN = Duration.ofSeconds(9);

	private static final Duration MAX_CATCH_UP = Duration.ofHours(1);

	private final RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(1);

	private final InstantSource clock;

	private final PriorityQueue<Instant> ends = new PriorityQueue<>();

	private long pending = 3;

	private Instant nextArrival;

	SimulatedQueue(InstantSource clock) {
		this.clock = clock;
		this.nextArrival = clock.instant();
	}

	/** Number of jobs that wait or run. */
	synchronized long remaining() {
		Instant now = clock.instant();
		if (Duration.between(nextArrival, now).compareTo(MAX_CATCH_UP) > 0) {
			ends.clear();
			nextArrival = now;
		}
		run(nextArrival);
		while (!nextArrival.isAfter(now)) {
			finishUntil(nextArrival);
			pending++;
			run(nextArrival);
			nextArrival = nextArrival.plusNanos((long) (BETWEEN_ARRIVALS.toNanos() * random.nextExponential()));
		}
		finishUntil(now);
		return pending + ends.size();
	}

	private void finishUntil(Instant time) {
		Instant end = ends.peek();
		while (end != null && !end.isAfter(time)) {
			ends.remove();
			run(end);
			end = ends.peek();
		}
	}

	private void run(Instant start) {
		while (pending > 0 && ends.size() < RUNNERS) {
			pending--;
			ends.add(start.plusNanos(random.nextLong(MIN_RUN.toNanos(), MAX_RUN.toNanos())));
		}
	}

}
