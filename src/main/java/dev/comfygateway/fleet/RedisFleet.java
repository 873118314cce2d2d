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
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
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
 * <li>{@link FleetRecovery} connects and probes until Redis works.</li>
 * </ol>
 */
final class RedisFleet implements Fleet, SmartLifecycle {

	/** Started after Lettuce, and ended before it. */
	private static final int PHASE = 1;

	/** Grant without a lease: Redis fails, or another replica's lease lasts too long. */
	private static final Claim ALONE = new Claim.Granted(new Lease() {
		@Override
		public void publish(SharedResult result) {
			// The other replicas cannot be reached
		}

		@Override
		public void release() {
			// There is no lease
		}
	});

	private final FleetConnections connections;

	private final FleetScripts scripts;

	private final FleetState state;

	private final FleetTimes times;

	private final ComfyCloudClient client;

	private final FleetRecovery recovery;

	private volatile Consumer<SharedResult> listener = result -> {
	};

	private volatile CompletableFuture<Void> announcement = new CompletableFuture<>();

	private volatile @Nullable Attempt current;

	/** Lease of the fetch under way. */
	private volatile @Nullable HeldLease lease;

	private final String replica = UUID.randomUUID().toString();

	private final AtomicLong claims = new AtomicLong();

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
		this.recovery = new FleetRecovery(connections, scripts, state, times, client, this::announced,
				this::applyReply);
	}

	@Override
	public void onResult(Consumer<SharedResult> resultListener) {
		listener = resultListener;
		known = null;
	}

	@Override
	public Optional<String> state() {
		return Optional.of(state.word());
	}

	@Override
	public CompletableFuture<Claim> claim(long newBelowNanos, boolean background) {
		Attempt attempt = new Attempt(newBelowNanos, background);
		current = attempt;
		attempt.make();
		// A stuck claim must not block later fetches
		return attempt.claim.completeOnTimeout(ALONE,
				times.patience().plus(times.maxClaim()).plus(times.command()).toMillis(), TimeUnit.MILLISECONDS);
	}

	@Override
	public void promote() {
		Attempt attempt = current;
		if (attempt != null) {
			attempt.promoted.complete(null);
		}
	}

	/** Claim of one fetch, made as often as needed. */
	private final class Attempt {

		private final CompletableFuture<Claim> claim = new CompletableFuture<>();

		private final CompletableFuture<Void> promoted = new CompletableFuture<>();

		private final String token = replica + ":" + claims.incrementAndGet();

		private final long start = System.nanoTime();

		private final long newBelowNanos;

		private volatile @Nullable Account claimedFor;

		/** Id of the result when the claim met another's lease. */
		private volatile String met = "";

		private volatile long metAt;

		Attempt(long newBelowNanos, boolean background) {
			this.newBelowNanos = newBelowNanos;
			if (!background) {
				promoted.complete(null);
			}
		}

		void make() {
			try {
				if (!state.isUp()) {
					makeWithoutRedis();
					return;
				}
				CompletableFuture<Void> next = announcement;
				Account account = client.account();
				if (!account.equals(claimedFor)) {
					// Ids of another account's results say nothing
					claimedFor = account;
					met = "";
				}
				connections.subscribe(FleetScripts.key(account)).whenComplete((done, failure) -> {
					if (failure != null) {
						recovery.failed(failure);
					}
				});
				scripts.claim(account, token, newBelowNanos, times.lease(), met)
					.whenComplete((reply, failure) -> follow(account, next, reply, failure));
			}
			catch (RuntimeException failure) {
				recovery.failed(failure);
				makeWithoutRedis();
			}
		}

		private void follow(Account account, CompletableFuture<Void> next, @Nullable Reply reply,
				@Nullable Throwable failure) {
			try {
				if (reply == null) {
					recovery.failed(failure);
					makeWithoutRedis();
					return;
				}
				switch (reply.status()) {
					case SHARED -> {
						known = reply.id();
						SharedResult shared = withoutKey(Objects.requireNonNull(reply.result()));
						if (!claim.complete(new Claim.Shared(shared))) {
							listener.accept(shared);
						}
					}
					case GRANTED -> {
						HeldLease granted = new HeldLease(account, token, reply.now(), reply.received());
						lease = granted;
						if (!claim.complete(new Claim.Granted(granted))) {
							// It came too late: this replica fetches without it
							granted.release();
						}
						applyReply(reply);
					}
					case HELD, READ -> {
						applyReply(reply);
						again(next, reply);
					}
				}
			}
			catch (RuntimeException bug) {
				recovery.failed(bug);
				alone();
			}
		}

		/** Claims again when there may be a result. */
		private void again(CompletableFuture<Void> next, Reply reply) {
			if (met.isEmpty()) {
				met = Objects.requireNonNullElse(reply.id(), "none");
				metAt = System.nanoTime();
			}
			if (System.nanoTime() - metAt >= times.maxClaim().toNanos()) {
				alone();
				return;
			}
			long jitter = ThreadLocalRandom.current().nextLong(1, times.command().toMillis() / 4 + 2);
			waiting.incrementAndGet();
			whenSooner(next, Math.min(reply.leaseLeft().toMillis() + jitter, times.command().toMillis()), () -> {
				waiting.decrementAndGet();
				make();
			});
		}

		private void makeWithoutRedis() {
			recovery.begin();
			boolean patient = state.isConnecting() ? elapsed().compareTo(times.command().multipliedBy(2)) < 0
					: !promoted.isDone() && state.downFor().compareTo(times.deadline()) < 0
							&& elapsed().compareTo(times.patience()) < 0;
			if (!patient || !running) {
				alone();
			}
			else if (promoted.isDone()) {
				whenSooner(state.change(), times.command().toMillis(), this::make);
			}
			else {
				whenSooner(CompletableFuture.anyOf(state.change(), promoted), times.command().toMillis(), this::make);
			}
		}

		private void whenSooner(CompletableFuture<?> signal, long millis, Runnable next) {
			CompletableFuture
				.anyOf(signal, new CompletableFuture<Void>().completeOnTimeout(null, millis, TimeUnit.MILLISECONDS))
				.thenRun(next);
		}

		private void alone() {
			claim.complete(ALONE);
		}

		private Duration elapsed() {
			return Duration.ofNanos(System.nanoTime() - start);
		}

	}

	/**
	 * Lease that Redis granted to this replica; it ends once, with or without a result.
	 */
	private final class HeldLease implements Lease {

		private final Account account;

		private final String token;

		/** Time of Redis's clock at the grant, in milliseconds. */
		private final long redisTime;

		/** When the grant became known, in nanoseconds of this process. */
		private final long received;

		private final AtomicBoolean ended = new AtomicBoolean();

		HeldLease(Account account, String token, long redisTime, long received) {
			this.account = account;
			this.token = token;
			this.redisTime = redisTime;
			this.received = received;
		}

		@Override
		public void publish(SharedResult result) {
			if (result.keyVersion() != account.keyVersion()) {
				// The result belongs to the account of another key
				release();
			}
			else if (end()) {
				known = token;
				scripts.publish(account, token, result, now()).whenComplete(this::logFailure);
			}
		}

		@Override
		public void release() {
			if (end()) {
				scripts.release(account, token).whenComplete(this::logFailure);
			}
		}

		/** Lets another replica fetch at once, where this one stops during a fetch. */
		void releaseBeforeStop() {
			if (!end()) {
				return;
			}
			try {
				scripts.release(account, token).get(times.command().toMillis(), TimeUnit.MILLISECONDS);
			}
			catch (InterruptedException ignored) {
				Thread.currentThread().interrupt();
			}
			catch (ExecutionException | TimeoutException ignored) {
				// It ends by itself
			}
		}

		private boolean end() {
			if (lease == this) {
				lease = null;
			}
			return ended.compareAndSet(false, true);
		}

		private void logFailure(@Nullable Boolean done, @Nullable Throwable failure) {
			if (failure != null) {
				recovery.failed(failure);
			}
		}

		/** Time of Redis's clock, in milliseconds; at most as late as it is there. */
		private long now() {
			return redisTime + TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - received);
		}

	}

	/** Wakes the claim that waits; where there is none, reads what was published. */
	private void announced(String id) {
		if (id.equals(FleetScripts.PROBE)) {
			return;
		}
		boolean read = waiting.get() == 0 && !id.equals(known) && state.isUp();
		CompletableFuture<Void> awaited = announcement;
		announcement = new CompletableFuture<>();
		awaited.complete(null);
		if (read) {
			scripts.read(client.account()).whenComplete((reply, failure) -> {
				if (failure != null) {
					recovery.failed(failure);
				}
				else {
					applyReply(reply);
				}
			});
		}
	}

	private void applyReply(Reply reply) {
		SharedResult result = reply.result();
		if (result != null && reply.id() != null && !reply.id().equals(known)) {
			known = reply.id();
			listener.accept(withoutKey(result));
		}
	}

	/** What Redis holds can come from others than replicas of this version. */
	private SharedResult withoutKey(SharedResult result) {
		SharedResult.Failure shared = result.failure();
		return shared == null ? result
				: new SharedResult(result.keyVersion(), result.age(), result.answer(),
						new SharedResult.Failure(client.withoutKey(shared.failure()), shared.endsAnswer(),
								shared.interval(), shared.left(), shared.keyRefused(), shared.failures(),
								shared.sinceFirst()));
	}

	@Override
	public void start() {
		running = true;
		recovery.start();
	}

	@Override
	public void stop() {
		running = false;
		recovery.stop();
		HeldLease held = lease;
		if (held != null) {
			held.releaseBeforeStop();
		}
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
