package dev.comfygateway.fleet;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * State of the fleet as this replica sees it, with a gauge, and with one line in the log
 * for each change.
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

	/** Whether class loading in this process can cause a timeout. */
	boolean isStarting() {
		return isConnecting() && downFor().compareTo(MAX_START) < 0;
	}

	/** {@code ok}, or the fault. */
	String word() {
		FleetFault current = fault;
		return current == null ? "ok" : current.word();
	}

	/** Time since the first fault in a row; zero if there is none. */
	Duration downFor() {
		return isUp() ? Duration.ZERO : Duration.ofNanos(System.nanoTime() - downSince);
	}

	/** Completes when the fleet is up again. */
	CompletableFuture<Void> recovered() {
		return recovered;
	}

	void up() {
		// Outside the lock, and not the future of a fault that begins meanwhile
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
