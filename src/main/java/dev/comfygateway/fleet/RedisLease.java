package dev.comfygateway.fleet;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.comfygateway.cache.FetchResult;
import dev.comfygateway.cache.Fleet.Lease;
import dev.comfygateway.upstream.Account;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Lease that Redis granted to this replica. It ends exactly once, with or without a
 * result.
 */
final class RedisLease implements Lease {

	private final FleetScripts scripts;

	private final FleetAnnouncements announcements;

	private final Ticker ticker;

	private final Account account;

	private final String token;

	private final FleetReply grant;

	private final AtomicBoolean ended = new AtomicBoolean();

	/**
	 * Creates a lease.
	 * @param token token of the claim
	 * @param grant reply that granted it
	 */
	RedisLease(FleetScripts scripts, FleetAnnouncements announcements, Ticker ticker, Account account, String token,
			FleetReply grant) {
		this.scripts = scripts;
		this.announcements = announcements;
		this.ticker = ticker;
		this.account = account;
		this.token = token;
		this.grant = grant;
	}

	@Override
	public void publish(FetchResult result) {
		if (result.keyVersion() != account.keyVersion()) {
			// The result belongs to another key
			release();
		}
		else if (end()) {
			announcements.setKnown(token);
			report(scripts.publish(account, token, result, redisMillis()));
		}
	}

	@Override
	public void release() {
		if (end()) {
			report(scripts.release(account, token));
		}
	}

	private void report(CompletableFuture<Boolean> end) {
		end.whenComplete((done, failure) -> announcements.reportFailure(failure));
	}

	/** Releases the lease if it has not ended, and waits for the release. */
	void releaseBeforeStop(Duration timeout) {
		if (!end()) {
			return;
		}
		try {
			scripts.release(account, token).get(timeout.toMillis(), TimeUnit.MILLISECONDS);
		}
		catch (InterruptedException ignored) {
			Thread.currentThread().interrupt();
		}
		catch (ExecutionException | TimeoutException ignored) {
			// The lease expires in Redis
		}
	}

	private boolean end() {
		return ended.compareAndSet(false, true);
	}

	/**
	 * Returns Redis's clock in milliseconds. The value can be behind by the latency of
	 * the grant, and is never ahead.
	 */
	private long redisMillis() {
		return grant.redisMillis() + TimeUnit.NANOSECONDS.toMillis(ticker.read() - grant.received());
	}

}
