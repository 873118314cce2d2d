package dev.comfygateway.fleet;

import dev.comfygateway.cache.Fleet;
import dev.comfygateway.cache.SharedResult;
import dev.comfygateway.fleet.FleetScripts.Reply;
import dev.comfygateway.upstream.Account;
import dev.comfygateway.upstream.ComfyCloudClient;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.springframework.context.SmartLifecycle;

/**
 * Fleet through Redis.
 *
 * <ol>
 * <li>A claim notes the next announcement, so that none is missed, and runs the
 * script.</li>
 * <li>A granted claim fetches, and publishes with the token of the claim.</li>
 * <li>Where the lease is another replica's, the claim is made again at the announcement,
 * at the end of the lease, or after one command's time, whichever comes first.</li>
 * <li>Where Redis fails, this replica fetches by itself. In the first seconds a claim
 * that no caller waits for waits for Redis instead, so that a failover goes unnoticed by
 * the upstream.</li>
 * <li>A loop on a thread of its own connects and probes until Redis works.</li>
 * </ol>
 */
final class RedisFleet implements Fleet, SmartLifecycle {

	/** Before Lettuce's own end, and after that of the web server. */
	private static final int PHASE = 1;

	private static final Duration MAX_PAUSE = Duration.ofSeconds(1);

	private static final Duration MIN_PAUSE = Duration.ofMillis(100);

	private final FleetConnections connections;

	private final FleetScripts scripts;

	private final FleetState state;

	private final FleetTimes times;

	private final ComfyCloudClient client;

	private final AtomicBoolean recovering = new AtomicBoolean();

	private volatile Consumer<SharedResult> listener = result -> {
	};

	private volatile CompletableFuture<Void> announcement = new CompletableFuture<>();

	/** Claims that wait for an announcement. */
	private final AtomicInteger waiting = new AtomicInteger();

	/** The result that this replica published or heard of last. */
	private volatile @Nullable String known;

	private volatile boolean running;

	RedisFleet(FleetConnections connections, FleetState state, FleetTimes times, ComfyCloudClient client,
			MeterRegistry meters) {
		this.connections = connections;
		this.scripts = new FleetScripts(connections, times, meters);
		this.state = state;
		this.times = times;
		this.client = client;
	}

	@Override
	public void onResult(Consumer<SharedResult> hears) {
		listener = hears;
	}

	@Override
	public Optional<String> state() {
		return Optional.of(state.word());
	}

	@Override
	public CompletableFuture<Claim> claim(long maxAgeNanos, boolean background) {
		Attempt attempt = new Attempt(maxAgeNanos, background);
		attempt.make();
		return attempt.claim;
	}

	/** Claim of one fetch, made as often as needed. */
	private final class Attempt {

		private final CompletableFuture<Claim> claim = new CompletableFuture<>();

		private final String token = UUID.randomUUID().toString();

		private final long start = System.nanoTime();

		private final long maxAgeNanos;

		private final boolean background;

		Attempt(long maxAgeNanos, boolean background) {
			this.maxAgeNanos = maxAgeNanos;
			this.background = background;
		}

		void make() {
			try {
				if (!state.isUp()) {
					makeWithoutRedis();
					return;
				}
				CompletableFuture<Void> next = announcement;
				Account account = client.account();
				connections.subscribe(FleetScripts.key(account));
				scripts.claim(account, token, maxAgeNanos, times.lease(elapsed()))
					.whenComplete((reply, failure) -> follow(account, next, reply, failure));
			}
			catch (RuntimeException failure) {
				failed(failure);
				makeWithoutRedis();
			}
		}

		private void follow(Account account, CompletableFuture<Void> next, @Nullable Reply reply,
				@Nullable Throwable failure) {
			try {
				if (reply == null) {
					failed(failure);
					makeWithoutRedis();
					return;
				}
				switch (reply.status()) {
					case SHARED -> {
						known = reply.id();
						claim.complete(new Claim.Shared(Objects.requireNonNull(reply.result())));
					}
					case GRANTED -> {
						hear(reply);
						claim.complete(
								new Claim.Granted(times.fetch(elapsed()), result -> publish(account, reply, result)));
					}
					case HELD, READ -> {
						hear(reply);
						again(next, reply.leaseLeft());
					}
				}
			}
			catch (RuntimeException | Error bug) {
				claim.completeExceptionally(bug);
			}
		}

		/** Claims again when there may be a result. */
		private void again(CompletableFuture<Void> next, Duration leaseLeft) {
			if (elapsed().compareTo(times.deadline()) >= 0) {
				alone();
				return;
			}
			long jitter = ThreadLocalRandom.current().nextLong(1, times.command().toMillis() / 4 + 2);
			waiting.incrementAndGet();
			whenSooner(next, Math.min(leaseLeft.toMillis() + jitter, times.command().toMillis()), () -> {
				waiting.decrementAndGet();
				make();
			});
		}

		private void makeWithoutRedis() {
			boolean patient = state.isConnecting() ? elapsed().compareTo(times.command().multipliedBy(2)) < 0
					: background && state.downFor().compareTo(times.deadline()) < 0
							&& elapsed().compareTo(times.patience()) < 0;
			if (patient && running) {
				whenSooner(state.change(), times.command().toMillis(), this::make);
			}
			else {
				alone();
			}
		}

		private void whenSooner(CompletableFuture<Void> signal, long millis, Runnable next) {
			CompletableFuture
				.anyOf(signal, new CompletableFuture<Void>().completeOnTimeout(null, millis, TimeUnit.MILLISECONDS))
				.thenRun(next);
		}

		private void alone() {
			claim.complete(new Claim.Granted(times.fetchAlone(elapsed()), result -> {
			}));
		}

		private void publish(Account account, Reply granted, SharedResult result) {
			if (result.keyVersion() != account.keyVersion()) {
				return;
			}
			known = token;
			long now = granted.now() + TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - granted.received());
			scripts.publish(account, token, result, now).whenComplete((published, failure) -> {
				if (failure != null) {
					failed(failure);
				}
			});
		}

		private Duration elapsed() {
			return Duration.ofNanos(System.nanoTime() - start);
		}

	}

	/** Wakes the claim that waits; where there is none, reads what was published. */
	private void announced(String id) {
		boolean read = waiting.get() == 0 && !id.equals(known) && state.isUp();
		CompletableFuture<Void> current = announcement;
		announcement = new CompletableFuture<>();
		current.complete(null);
		if (read) {
			scripts.read(client.account()).whenComplete((reply, failure) -> {
				if (failure != null) {
					failed(failure);
				}
				else {
					hear(reply);
				}
			});
		}
	}

	private void hear(Reply reply) {
		SharedResult result = reply.result();
		if (result != null && reply.id() != null && !reply.id().equals(known)) {
			known = reply.id();
			listener.accept(result);
		}
	}

	private void failed(@Nullable Throwable failure) {
		if (running) {
			FleetFault fault = failure == null ? FleetFault.ERROR : FleetFault.of(failure);
			state.down(fault);
			recover();
		}
	}

	private void recover() {
		if (recovering.compareAndSet(false, true)) {
			Thread.ofVirtual().name("fleet").start(() -> {
				try {
					while (running && !isWell()) {
						Thread.sleep(pause());
					}
				}
				catch (InterruptedException ignored) {
					Thread.currentThread().interrupt();
				}
				finally {
					recovering.set(false);
				}
			});
		}
	}

	/** Connects where that is needed, and probes. */
	private boolean isWell() {
		try {
			Account account = client.account();
			connections.connect(FleetScripts.key(account), this::announced);
			Reply reply = scripts.probe(account).join();
			hear(reply);
			state.up();
			return true;
		}
		catch (RuntimeException failure) {
			FleetFault fault = FleetFault.of(failure);
			if (running && !(fault == FleetFault.TIMEOUT && state.isStarting())) {
				state.down(fault);
			}
			if (fault.isOfConnection()) {
				connections.close();
			}
			return false;
		}
	}

	/**
	 * Pause between two probes, which grows with the outage; with jitter, as all replicas
	 * probe.
	 */
	private Duration pause() {
		long max = Math.min(MAX_PAUSE.toMillis(), MIN_PAUSE.toMillis() + state.downFor().toMillis() / 4);
		return Duration.ofMillis(ThreadLocalRandom.current().nextLong(MIN_PAUSE.toMillis() / 2, max));
	}

	@Override
	public void start() {
		running = true;
		recover();
	}

	@Override
	public void stop() {
		running = false;
		connections.close();
	}

	@Override
	public boolean isRunning() {
		return running;
	}

	@Override
	public int getPhase() {
		return PHASE;
	}

}
