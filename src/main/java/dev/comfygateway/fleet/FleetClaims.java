package dev.comfygateway.fleet;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.comfygateway.cache.Fleet.Claim;
import dev.comfygateway.cache.Fleet.Claim.Granted;
import dev.comfygateway.cache.Fleet.Claim.Shared;
import dev.comfygateway.log.UnexpectedExceptionLog;
import dev.comfygateway.upstream.Account;
import dev.comfygateway.upstream.ComfyCloudClient;
import java.time.Duration;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * Claims of this replica, one at a time.
 *
 * <ol>
 * <li>A claim obtains the future of the next announcement before it runs the script, so
 * that no announcement is missed.</li>
 * <li>The script grants the lease or returns a valid result, and the claim ends.</li>
 * <li>If another replica has the lease, the script runs again at the announcement, at the
 * end of the lease, or after the timeout of a command, whichever is first.</li>
 * <li>If Redis fails, the claim is granted without a lease. In the first seconds of an
 * outage, a background claim waits for Redis instead, so that a failover causes no
 * upstream requests.</li>
 * </ol>
 */
final class FleetClaims {

	private final UnexpectedExceptionLog exceptions = new UnexpectedExceptionLog(
			LoggerFactory.getLogger(FleetClaims.class), "A claim of the fleet");

	private final FleetScripts scripts;

	private final FleetState state;

	private final FleetTimes times;

	private final ComfyCloudClient client;

	private final Ticker ticker;

	private final FleetAnnouncements announcements;

	private final FleetRecovery recovery;

	private final String replica = UUID.randomUUID().toString();

	private final AtomicLong numbers = new AtomicLong();

	private volatile @Nullable PendingClaim current;

	private volatile @Nullable RedisLease lease;

	FleetClaims(FleetScripts scripts, FleetState state, FleetTimes times, ComfyCloudClient client, Ticker ticker,
			FleetAnnouncements announcements, FleetRecovery recovery) {
		this.scripts = scripts;
		this.state = state;
		this.times = times;
		this.client = client;
		this.ticker = ticker;
		this.announcements = announcements;
		this.recovery = recovery;
	}

	CompletableFuture<Claim> claim(long maxSinceArrivalNanos, boolean background) {
		PendingClaim claim = new PendingClaim(maxSinceArrivalNanos, background);
		current = claim;
		claim.run();
		// A stuck claim must not block later fetches
		return claim.outcome.completeOnTimeout(Granted.ALONE, times.maxPendingClaim().toMillis(),
				TimeUnit.MILLISECONDS);
	}

	void promote() {
		PendingClaim claim = current;
		if (claim != null) {
			claim.promoted.complete(null);
		}
	}

	/** Releases the lease at shutdown, so that another replica can fetch immediately. */
	void releaseBeforeStop() {
		RedisLease held = lease;
		if (held != null) {
			held.releaseBeforeStop(times.command());
		}
	}

	/** Claim of one fetch. It runs the script until the claim ends. */
	private final class PendingClaim {

		private final CompletableFuture<Claim> outcome = new CompletableFuture<>();

		private final CompletableFuture<Void> promoted = new CompletableFuture<>();

		private final String token = replica + ":" + numbers.incrementAndGet();

		private final long start = System.nanoTime();

		private final long maxSinceArrivalNanos;

		private volatile @Nullable Account claimedFor;

		/** Id of the result when the claim first found another replica's lease. */
		private volatile String heldId = "";

		private volatile long heldSince;

		PendingClaim(long maxSinceArrivalNanos, boolean background) {
			this.maxSinceArrivalNanos = maxSinceArrivalNanos;
			if (!background) {
				promoted.complete(null);
			}
		}

		void run() {
			try {
				if (!state.isUp()) {
					runWithoutRedis();
					return;
				}
				CompletableFuture<Void> announcement = announcements.next();
				Account account = client.account();
				if (!account.equals(claimedFor)) {
					// Result ids of another account are not comparable
					claimedFor = account;
					heldId = "";
				}
				announcements.subscribe(account);
				scripts.claim(account, token, maxSinceArrivalNanos, times.lease(), heldId)
					.whenComplete((reply, failure) -> onReply(account, announcement, reply, failure));
			}
			catch (RuntimeException failure) {
				recovery.onFailure(failure);
				runWithoutRedis();
			}
		}

		private void onReply(Account account, CompletableFuture<Void> announcement, @Nullable FleetReply reply,
				@Nullable Throwable failure) {
			try {
				if (reply == null) {
					recovery.onFailure(failure);
					runWithoutRedis();
					return;
				}
				switch (reply.status()) {
					case SHARED -> {
						Shared shared = Objects.requireNonNull(reply.shared());
						announcements.setKnown(reply.id());
						if (!outcome.complete(shared)) {
							announcements.deliver(shared);
						}
					}
					case GRANTED -> {
						RedisLease granted = new RedisLease(scripts, announcements, ticker, account, token, reply);
						lease = granted;
						if (!outcome.complete(new Granted(granted))) {
							// The claim has timed out, and this replica fetches without a
							// lease
							granted.release();
						}
						// If this replica has missed the previous result, its answer
						// can be served in case the fetch fails
						announcements.deliver(reply);
					}
					case HELD -> {
						announcements.deliver(reply);
						runAgain(announcement, reply);
					}
					case READ -> throw new IllegalStateException("Unexpected status of a claim: READ");
				}
			}
			catch (RuntimeException unexpected) {
				exceptions.log(unexpected);
				grantAlone();
			}
		}

		private void runAgain(CompletableFuture<Void> announcement, FleetReply reply) {
			if (heldId.isEmpty()) {
				heldId = Objects.requireNonNullElse(reply.id(), "none");
				heldSince = System.nanoTime();
			}
			if (System.nanoTime() - heldSince >= times.maxClaim().toNanos()) {
				grantAlone();
				return;
			}
			long jitter = ThreadLocalRandom.current().nextLong(1, times.command().toMillis() / 4 + 2);
			announcements.addWaitingClaim();
			runAt(announcement, Math.min(reply.leaseLeft().toMillis() + jitter, times.command().toMillis()), () -> {
				announcements.removeWaitingClaim();
				run();
			});
		}

		private void runWithoutRedis() {
			recovery.begin();
			if (!recovery.isRunning() || !isWaitingForRedis()) {
				grantAlone();
				return;
			}
			CompletableFuture<?> signal = promoted.isDone() ? state.recovered()
					: CompletableFuture.anyOf(state.recovered(), promoted);
			runAt(signal, times.command().toMillis(), this::run);
		}

		/**
		 * Returns whether to wait for Redis. Every claim waits for the first connection.
		 * A background claim also waits for recovery.
		 */
		private boolean isWaitingForRedis() {
			Duration elapsed = Duration.ofNanos(System.nanoTime() - start);
			if (state.isConnecting()) {
				return elapsed.compareTo(times.command().multipliedBy(2)) < 0;
			}
			return !promoted.isDone() && state.downFor().compareTo(times.deadline()) < 0
					&& elapsed.compareTo(times.maxBackgroundWait()) < 0;
		}

		/** Runs a task at the signal or after the delay, whichever is first. */
		private void runAt(CompletableFuture<?> signal, long millis, Runnable task) {
			CompletableFuture
				.anyOf(signal, new CompletableFuture<Void>().completeOnTimeout(null, millis, TimeUnit.MILLISECONDS))
				.thenRun(task);
		}

		private void grantAlone() {
			outcome.complete(Granted.ALONE);
		}

	}

}
