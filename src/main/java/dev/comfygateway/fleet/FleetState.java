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

	private volatile @Nullable FleetFailure failure = FleetFailure.CONNECTING;

	private volatile long downSince = System.nanoTime();

	private volatile CompletableFuture<Void> recovered = new CompletableFuture<>();

	FleetState(MeterRegistry meters) {
		Gauge.builder("comfy.gateway.fleet.up", this, state -> state.isUp() ? 1 : 0)
			.description("Whether this replica shares its answers with the others")
			.register(meters);
	}

	boolean isUp() {
		return failure == null;
	}

	boolean isConnecting() {
		return failure == FleetFailure.CONNECTING;
	}

	/**
	 * Returns whether the process is starting. Class loading can then cause a timeout.
	 */
	boolean isStarting() {
		return isConnecting() && downFor().compareTo(MAX_START) < 0;
	}

	/** Returns {@code ok}, or the code of the current failure. */
	String code() {
		FleetFailure current = failure;
		return current == null ? "ok" : current.code();
	}

	/** Returns the time since the first consecutive failure; zero if the fleet is up. */
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
		endFailure().complete(null);
	}

	private synchronized CompletableFuture<Void> endFailure() {
		FleetFailure before = failure;
		if (before == FleetFailure.CONNECTING) {
			log.info("Fleet: answers are shared through Redis");
		}
		else if (before != null) {
			log.info("Fleet: Redis is available again after {} s", downFor().toSeconds());
		}
		failure = null;
		return recovered;
	}

	synchronized void down(FleetFailure now) {
		FleetFailure before = failure;
		if (before == now) {
			return;
		}
		if (before == null) {
			downSince = System.nanoTime();
			recovered = new CompletableFuture<>();
		}
		failure = now;
		log.atWarn()
			.addKeyValue("reason", now.code())
			.log("Fleet: Redis is unavailable: {}; this replica sends its own requests to the upstream", now.code());
	}

}
