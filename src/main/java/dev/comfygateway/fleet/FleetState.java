package dev.comfygateway.fleet;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * State of this replica's connection to the fleet, with a gauge. Each change is logged in
 * one line.
 */
final class FleetState {

	private static final Logger log = LoggerFactory.getLogger(FleetState.class);

	private static final Duration MAX_START = Duration.ofSeconds(5);

	private volatile @Nullable FleetFault fault = FleetFault.CONNECTING;

	private volatile long downSince = System.nanoTime();

	private volatile CompletableFuture<Void> recovered = new CompletableFuture<>();

	FleetState(MeterRegistry meters) {
		Gauge.builder("comfy.gateway.fleet.up", this, state -> state.isUp() ? 1 : 0)
			.description("Whether this replica shares its answers with the others")
			.register(meters);
	}

	boolean isUp() {
		return fault == null;
	}

	boolean isConnecting() {
		return fault == FleetFault.CONNECTING;
	}

	/** Whether the process is starting, when class loading can cause a timeout. */
	boolean isStarting() {
		return isConnecting() && downFor().compareTo(MAX_START) < 0;
	}

	/** Returns {@code ok}, or the word of the current failure. */
	String word() {
		FleetFault current = fault;
		return current == null ? "ok" : current.word();
	}

	/** Returns the time since the first failure in a row; zero if the fleet is up. */
	Duration downFor() {
		return isUp() ? Duration.ZERO : Duration.ofNanos(System.nanoTime() - downSince);
	}

	/** Returns a future that completes when the fleet is up again. */
	CompletableFuture<Void> recovered() {
		return recovered;
	}

	void up() {
		// Completed outside the lock. The future of a failure that begins concurrently is
		// not completed
		endFault().complete(null);
	}

	private synchronized CompletableFuture<Void> endFault() {
		FleetFault before = fault;
		if (before == FleetFault.CONNECTING) {
			log.info("Fleet: answers are shared through Redis");
		}
		else if (before != null) {
			log.info("Fleet: Redis answers again after {} s", downFor().toSeconds());
		}
		fault = null;
		return recovered;
	}

	synchronized void down(FleetFault now) {
		FleetFault before = fault;
		if (before == now) {
			return;
		}
		if (before == null) {
			downSince = System.nanoTime();
			recovered = new CompletableFuture<>();
		}
		fault = now;
		log.atWarn()
			.addKeyValue("reason", now.word())
			.log("Fleet: Redis fails: {}; this replica asks the upstream by itself", now.word());
	}

}
