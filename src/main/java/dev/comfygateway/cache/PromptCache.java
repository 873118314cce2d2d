package dev.comfygateway.cache;

import com.github.benmanes.caffeine.cache.Ticker;
import com.github.benmanes.caffeine.cache.stats.StatsCounter;
import dev.comfygateway.cache.FreshnessPolicy.Freshness;
import dev.comfygateway.cache.Lookup.Detail;
import dev.comfygateway.cache.Lookup.Forward;
import dev.comfygateway.upstream.ComfyCloudClient;
import dev.comfygateway.upstream.UpstreamFailure;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/**
 * Cache of the answer, and of the result of the last fetch.
 *
 * <p>
 * Caffeine's loading and refreshing are not used, since either can cause a second
 * request. Caffeine discards a load in flight if the entry expires. It also completes a
 * load before the new entry is visible.
 *
 * <ol>
 * <li>A caller reads the last result, then the entry, both from {@link ResultStore}.</li>
 * <li>If the entry may not be served, the caller joins the fetch in flight or starts one,
 * in {@link Fetches}.</li>
 * <li>A caller that starts a fetch reads the last result again. If a fetch has completed
 * since step 1, its result is used and no request is made.</li>
 * <li>The fetch is claimed in the {@link Fleet}. If another replica has fetched, its
 * result is used and no request is made.</li>
 * <li>When a fetch completes, its result is stored and published to the fleet. Then the
 * fetch in flight is cleared, the receivers are notified and the futures of the waiting
 * callers are completed, in this order.</li>
 * </ol>
 */
@Component
public class PromptCache {

	/** Margin, so that the client's own deadline fires first and reports the cause. */
	private static final Duration DEADLINE_MARGIN = Duration.ofMillis(50);

	private final ResultStore results;

	private final Fetches fetches;

	private final FreshnessPolicy policy;

	private final StatsCounter statistics;

	private final ComfyCloudClient client;

	private final Ticker ticker;

	PromptCache(ResultStore results, Fetches fetches, FreshnessPolicy policy, StatsCounter statistics,
			ComfyCloudClient client, Ticker ticker) {
		this.results = results;
		this.fetches = fetches;
		this.policy = policy;
		this.statistics = statistics;
		this.client = client;
		this.ticker = ticker;
	}

	/** Looks up the answer for a caller, or joins a fetch. Never blocks. */
	public Lookup lookup(RequestDirectives directives) {
		Found found = read(directives);
		Optional<Lookup> served = serve(found);
		if (served.isPresent()) {
			return served.get();
		}
		statistics.recordMisses(1);
		return join(found);
	}

	/**
	 * Looks up the answer for a caller without waiting. May start a refresh in the
	 * background. Empty if the caller must wait; in that case nothing is counted or
	 * started.
	 */
	public Optional<Lookup> lookupInMemory(RequestDirectives directives) {
		return serve(read(directives));
	}

	/**
	 * Adds a receiver that gets the status after each result. The status contains the
	 * answer even if the cache does not store it. The receiver must not block.
	 */
	public void onResult(Consumer<UpstreamStatus> receiver) {
		results.receivers().add(receiver);
	}

	/** Returns the status of the upstream. Makes no upstream request. */
	public UpstreamStatus status() {
		return results.status();
	}

	/** Returns the maximum wait for a fetch: {@code comfy.deadline} plus a margin. */
	public Duration maxWait() {
		return client.deadline().plus(DEADLINE_MARGIN);
	}

	private Found read(RequestDirectives directives) {
		FetchResult last = results.last();
		long now = ticker.read();
		return new Found(directives, last, results.answer(now), now);
	}

	private Optional<Lookup> serve(Found found) {
		Snapshot stored = found.stored;
		if (stored == null) {
			return serveStaleOrFailure(found);
		}
		return switch (policy.evaluate(stored, found.now, found.directives)) {
			case FRESH -> hit(stored, found.now, Detail.NONE, null);
			case REFRESH_FLOOR -> hit(stored, found.now, Detail.REFRESH_FLOOR, null);
			case REVALIDATE ->
				results.cooldown(found.last) == null ? revalidate(stored, found) : serveStaleOrFailure(found);
			case STALE, REFUSED_BY_CALLER -> serveStaleOrFailure(found);
		};
	}

	private Optional<Lookup> revalidate(Snapshot stored, Found found) {
		boolean mayFetch = !found.directives.onlyIfCached();
		if (mayFetch) {
			refresh(found);
		}
		boolean refreshing = mayFetch || fetches.isInFlight();
		return hit(stored, found.now, refreshing ? Detail.REVALIDATING : Detail.NONE, null);
	}

	/**
	 * Serves the stored answer in place of a failure, or the failure, during and after a
	 * cool-down. It also runs without a failure, if no stored answer may be served by its
	 * freshness, and handles {@code only-if-cached}. If the stored answer may be served,
	 * the attempt after the cool-down runs in the background: a hanging upstream then
	 * delays callers once, not at each attempt. Empty if the caller must wait for a
	 * fetch.
	 */
	private Optional<Lookup> serveStaleOrFailure(Found found) {
		Snapshot stored = found.stored;
		Cooldown cooldown = results.cooldown(found.last);
		if (cooldown != null && stored != null
				&& policy.mayServeStaleOnError(cooldown.failure(), stored, found.now, found.directives)) {
			if (!found.directives.onlyIfCached() && cooldown.isExpired(found.now)) {
				refresh(found);
			}
			return hit(stored, found.now, Detail.UPSTREAM_FAILURE, cooldown.failure());
		}
		if (found.directives.onlyIfCached()) {
			return miss(new Lookup.NotCached());
		}
		return cooldown == null || cooldown.isExpired(found.now) ? Optional.empty()
				: miss(new Lookup.Failed(cooldown.failure(), cooldown.retryAfterSeconds(found.now)));
	}

	private Optional<Lookup> hit(Snapshot stored, long now, Detail detail, @Nullable UpstreamFailure failure) {
		statistics.recordHits(1);
		return Optional.of(stored(stored, now, detail, failure));
	}

	private Optional<Lookup> miss(Lookup lookup) {
		statistics.recordMisses(1);
		return Optional.of(lookup);
	}

	private Lookup.Stored stored(Snapshot stored, long now, Detail detail, @Nullable UpstreamFailure failure) {
		return new Lookup.Stored(stored, stored.age(now), policy.ttl(stored, now), detail, failure);
	}

	private void refresh(Found found) {
		fetches.joinOrStart(found.last, found.directives, true);
	}

	/**
	 * Joins a fetch for a caller. If another replica fetched the result, it can be too
	 * old for the caller, which then joins the next fetch. The wait has its own timeout,
	 * since a fetch that waits for another replica can take longer.
	 */
	private Lookup.Awaited join(Found found) {
		RequestDirectives directives = found.directives;
		Forward forward = forward(found);
		Fetches.Joined fetch = fetches.joinOrStart(found.last, directives, false);
		return new Lookup.Awaited(fetch.result()
			.thenCompose(result -> isTooOld(result, directives)
					? fetches.joinOrStart(result, RequestDirectives.NO_CACHE, false).result()
					: CompletableFuture.completedFuture(result))
			.thenApply(result -> switch (result) {
				case Snapshot snapshot -> fetched(snapshot, forward, fetch.collapsed());
				case Cooldown cooldown ->
					failed(cooldown.failure(), directives, cooldown.retryAfterSeconds(ticker.read()));
			})
			.orTimeout(maxWait().toNanos(), TimeUnit.NANOSECONDS)
			.exceptionallyCompose(failure -> failure instanceof TimeoutException
					? CompletableFuture.completedFuture(timedOut(directives))
					: CompletableFuture.failedFuture(failure)));
	}

	private Forward forward(Found found) {
		if (found.stored == null) {
			return Forward.URI_MISS;
		}
		return isRefused(found.stored, found.now, found.directives) ? Forward.REQUEST : Forward.STALE;
	}

	private boolean isTooOld(FetchResult result, RequestDirectives directives) {
		return result instanceof Snapshot snapshot && snapshot.shared()
				&& isRefused(snapshot, ticker.read(), directives);
	}

	private boolean isRefused(Snapshot snapshot, long now, RequestDirectives directives) {
		return policy.evaluate(snapshot, now, directives) == Freshness.REFUSED_BY_CALLER;
	}

	private Lookup fetched(Snapshot snapshot, Forward forward, boolean collapsed) {
		long sinceArrival = snapshot.shared() ? snapshot.sinceArrival(ticker.read()) : 0;
		return new Lookup.Fetched(snapshot, snapshot.ageOnArrival().toNanos() + sinceArrival,
				policy.freshFor() - sinceArrival, forward, snapshot.shared() || collapsed, snapshot.shared());
	}

	private Lookup timedOut(RequestDirectives directives) {
		return failed(UpstreamFailure.timeout(client.keyVersion()), directives, 1);
	}

	/**
	 * Returns the stored answer if it may be served in place of the failure; otherwise
	 * the failure.
	 */
	private Lookup failed(UpstreamFailure failure, RequestDirectives directives, long retryAfterSeconds) {
		long now = ticker.read();
		Snapshot stored = results.answer(now);
		return stored != null && policy.mayServeStaleOnError(failure, stored, now, directives)
				? stored(stored, now, Detail.UPSTREAM_FAILURE, failure) : new Lookup.Failed(failure, retryAfterSeconds);
	}

	/**
	 * State of the cache at the time of a lookup.
	 *
	 * @param last the last result
	 * @param stored the stored answer; null if it may not be served to any caller
	 * @param now time of the lookup
	 */
	private record Found(RequestDirectives directives, @Nullable FetchResult last, @Nullable Snapshot stored,
			long now) {
	}

}
