package dev.comfygateway.fleet;

import dev.comfygateway.upstream.Account;
import dev.comfygateway.upstream.ComfyCloudClient;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Loop that connects and probes until Redis works. It runs on a separate virtual thread,
 * at start and after each failure.
 */
final class FleetRecovery {

	private static final Duration MAX_PAUSE = Duration.ofSeconds(1);

	private static final Duration MIN_PAUSE = Duration.ofMillis(100);

	private final FleetConnections connections;

	private final FleetScripts scripts;

	private final FleetState state;

	private final FleetTimes times;

	private final ComfyCloudClient client;

	private final FleetAnnouncements announcements;

	private final AtomicBoolean looping = new AtomicBoolean();

	private volatile boolean running;

	FleetRecovery(FleetConnections connections, FleetScripts scripts, FleetState state, FleetTimes times,
			ComfyCloudClient client, FleetAnnouncements announcements) {
		this.connections = connections;
		this.scripts = scripts;
		this.state = state;
		this.times = times;
		this.client = client;
		this.announcements = announcements;
	}

	void start() {
		running = true;
		begin();
	}

	void stop() {
		running = false;
	}

	boolean isRunning() {
		return running;
	}

	/** Records a failure of Redis, and begins the loop. */
	void onFailure(@Nullable Throwable failure) {
		if (running) {
			state.down(failure == null ? FleetFailure.ERROR : FleetFailure.of(failure));
			begin();
		}
	}

	/** Begins the loop, unless it is running. */
	void begin() {
		if (running && looping.compareAndSet(false, true)) {
			Thread.ofVirtual().name("fleet").start(this::loop);
		}
	}

	private void loop() {
		try {
			while (running && !reconnect()) {
				Thread.sleep(pause());
			}
		}
		catch (InterruptedException ignored) {
			Thread.currentThread().interrupt();
		}
		finally {
			looping.set(false);
		}
		if (!state.isUp()) {
			// A failure occurred while the loop ended
			begin();
		}
	}

	/**
	 * Connects if there are no connections, and probes.
	 * @return whether Redis works
	 */
	private boolean reconnect() {
		try {
			Account account = client.account();
			connections.connect(FleetScripts.key(account), announcements::onAnnouncement);
			long start = System.nanoTime();
			FleetReply reply = scripts.probe(account).join();
			if (System.nanoTime() - start > times.maxProbe().toNanos()) {
				onFailedProbe(FleetFailure.TIMEOUT);
				return false;
			}
			announcements.deliver(reply);
			state.up();
			return true;
		}
		catch (RuntimeException | Error failure) {
			onFailedProbe(FleetFailure.of(failure));
			return false;
		}
	}

	private void onFailedProbe(FleetFailure failure) {
		if (running && !(failure == FleetFailure.TIMEOUT && state.isStarting())) {
			state.down(failure);
		}
		if (failure.isOfConnection()) {
			connections.close();
		}
	}

	/**
	 * Returns the pause between two probes. It grows with the length of the outage, and
	 * has jitter, since all replicas probe.
	 */
	private Duration pause() {
		long max = Math.min(MAX_PAUSE.toMillis(), MIN_PAUSE.toMillis() + state.downFor().toMillis() / 4);
		return Duration.ofMillis(ThreadLocalRandom.current().nextLong(MIN_PAUSE.toMillis() / 2, max));
	}

}
