package dev.comfygateway.cache;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.comfygateway.cache.Fleet.Claim;
import dev.comfygateway.cache.Fleet.Lease;
import dev.comfygateway.log.UnexpectedExceptionLog;
import dev.comfygateway.upstream.ComfyCloudClient;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/**
 * Fetches from the upstream. At most one fetch is in flight. A fetch is independent of
 * its callers: it continues if they disconnect.
 */
@Component
class Fetches {

	private static final Logger log = LoggerFactory.getLogger(Fetches.class);

	private final Fleet fleet;

	private final ComfyCloudClient client;

	private final ResultStore results;

	private final FreshnessPolicy policy;

	private final Ticker ticker;

	private final AtomicReference<@Nullable InFlightFetch> inFlight = new AtomicReference<>();

	private final UnexpectedExceptionLog exceptions = new UnexpectedExceptionLog(log, "A request to the upstream");

	Fetches(Fleet fleet, ComfyCloudClient client, ResultStore results, FreshnessPolicy policy, Ticker ticker) {
		this.fleet = fleet;
		this.client = client;
		this.results = results;
		this.policy = policy;
		this.ticker = ticker;
		// Registered before the fleet starts, so that no announced result is missed
		fleet.onResult(results::addAnnounced);
	}

	/**
	 * Joins the fetch in flight, or starts one.
	 * @param seen last result at the time of the lookup; a newer result is used instead
	 * of a new fetch
	 * @param background whether the caller does not wait for the result
	 */
	Joined joinOrStart(@Nullable FetchResult seen, RequestDirectives directives, boolean background) {
		InFlightFetch started = new InFlightFetch(policy.maxSinceArrivalNanos(directives), background);
		InFlightFetch running = inFlight.compareAndExchange(null, started);
		if (running != null) {
			if (!background) {
				running.promote();
			}
			return new Joined(running.result, true);
		}
		FetchResult last = results.ofCurrentKey(results.last());
		if (last != null && last != seen && started.isNewEnough(last)) {
			inFlight.set(null);
			started.result.complete(last);
			return new Joined(started.result, true);
		}
		started.claim();
		return new Joined(started.result, false);
	}

	boolean isInFlight() {
		return inFlight.get() != null;
	}

	/**
	 * Fetch that a caller has joined.
	 *
	 * @param result result of the fetch; completes exceptionally only after an unexpected
	 * exception
	 * @param collapsed whether another caller started the fetch
	 */
	record Joined(CompletableFuture<FetchResult> result, boolean collapsed) {
	}

	/**
	 * Fetch in flight: claims the fetch in the fleet, sends the request and stores the
	 * result.
	 */
	private final class InFlightFetch {

		private final CompletableFuture<FetchResult> result = new CompletableFuture<>();

		private final long maxSinceArrivalNanos;

		private final boolean background;

		/** Whether a caller that waits has joined. */
		private volatile boolean awaited;

		InFlightFetch(long maxSinceArrivalNanos, boolean background) {
			this.maxSinceArrivalNanos = maxSinceArrivalNanos;
			this.background = background;
		}

		/**
		 * Returns whether a result that was added after the lookup can be used. A result
		 * from another replica can be too old.
		 */
		boolean isNewEnough(FetchResult last) {
			return !(last instanceof Snapshot snapshot) || !snapshot.shared()
					|| snapshot.sinceArrival(ticker.read()) < maxSinceArrivalNanos;
		}

		/** Promotes the claim, or remembers to promote it once it is made. */
		void promote() {
			awaited = true;
			fleet.promote();
		}

		void claim() {
			try {
				CompletableFuture<Claim> claimed = fleet.claim(maxSinceArrivalNanos, background);
				if (awaited) {
					fleet.promote();
				}
				claimed.whenComplete((claim, unexpected) -> {
					if (unexpected == null) {
						onClaim(claim);
					}
					else {
						fail(unexpected);
					}
				});
			}
			catch (RuntimeException | Error unexpected) {
				fail(unexpected);
			}
		}

		private void onClaim(Claim claim) {
			switch (claim) {
				// The key has changed: the result can belong to another account
				case Claim.Shared shared when results.ofCurrentKey(shared.result()) == null -> claim();
				case Claim.Shared shared -> complete(() -> results.add(shared));
				case Claim.Granted(Lease lease) -> {
					// If nothing is published, the lease must not block other replicas
					result.whenComplete((value, unexpected) -> lease.release());
					fetch(lease);
				}
			}
		}

		private void fetch(Lease lease) {
			try {
				long requested = ticker.read();
				client.fetch().whenComplete((outcome, unexpected) -> {
					if (unexpected == null) {
						complete(() -> {
							FetchResult added = results.add(outcome, requested);
							lease.publish(added);
							return added;
						});
					}
					else {
						fail(unexpected);
					}
				});
			}
			catch (RuntimeException | Error unexpected) {
				fail(unexpected);
			}
		}

		private void complete(Supplier<FetchResult> addition) {
			FetchResult added;
			try {
				added = addition.get();
			}
			catch (RuntimeException | Error unexpected) {
				fail(unexpected);
				return;
			}
			inFlight.set(null);
			results.receivers().report();
			result.complete(added);
		}

		private void fail(Throwable unexpected) {
			inFlight.set(null);
			// A result that was added, but could not be published
			results.receivers().report();
			result.completeExceptionally(unexpected);
			exceptions.log(unexpected);
		}

	}

}
