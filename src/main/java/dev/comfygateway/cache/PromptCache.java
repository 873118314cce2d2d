package dev.comfygateway.cache;

import com.github.benmanes.caffeine.cache.Policy;
import com.github.benmanes.caffeine.cache.Ticker;
import com.github.benmanes.caffeine.cache.stats.StatsCounter;
import dev.comfygateway.GatewayProperties;
import dev.comfygateway.cache.Lookup.Detail;
import dev.comfygateway.cache.Lookup.Forward;
import dev.comfygateway.error.BugLog;
import dev.comfygateway.error.ErrorAnswer;
import dev.comfygateway.upstream.ComfyCloudClient;
import dev.comfygateway.upstream.KeyFileState;
import dev.comfygateway.upstream.UpstreamFailure;
import dev.comfygateway.upstream.UpstreamOutcome;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.cache.Cache;
import org.springframework.cache.CacheManager;
import org.springframework.cache.caffeine.CaffeineCache;
import org.springframework.stereotype.Component;

/**
 * Cache of the one answer, and of the result of the last fetch.
 *
 * <p>
 * This class owns the fetch in flight and uses neither Caffeine's loading nor its
 * refreshing. Caffeine forgets a load when the entry beneath it expires. It also
 * completes a load before the new entry is visible. Either would cause a second request.
 *
 * <ol>
 * <li>A caller reads the last result, then the entry.</li>
 * <li>Where the entry does not serve, the caller joins the fetch in flight or starts
 * one.</li>
 * <li>A caller that starts a fetch reads the last result again. Where a fetch has
 * completed since step 1, its result is used and no request is made.</li>
 * <li>The fetch is claimed in the {@link Fleet}. Where another replica has fetched, its
 * result is used and no request is made.</li>
 * <li>A completing fetch stores its result, then clears the fetch in flight, then reports
 * the result to the listeners and completes the waiting callers.</li>
 * </ol>
 */
@Component
public class PromptCache {

	static final String NAME = "prompt";

	private static final String KEY = "/api/prompt";

	/** Margin, so that the client's own deadline fires first: its failure has a cause. */
	private static final Duration DEADLINE_MARGIN = Duration.ofMillis(50);

	/**
	 * Minimum time between two refreshes for listeners, where no answer is ever fresh.
	 */
	private static final long MIN_REFRESH_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

	private static final Logger log = LoggerFactory.getLogger(PromptCache.class);

	private final Cache cache;

	private final Policy<Object, Object> quietly;

	private final StatsCounter statistics;

	private final ComfyCloudClient client;

	private final Fleet fleet;

	private final GatewayProperties properties;

	private final FreshnessPolicy policy;

	private final long maxWaitNanos;

	private final Ticker ticker;

	private final InstantSource clock;

	private final RandomGenerator random;

	private final AtomicReference<@Nullable CompletableFuture<FetchResult>> inFlight = new AtomicReference<>();

	private final BugLog bugs = new BugLog(log, "A request to the upstream");

	private final List<Consumer<Status>> listeners = new CopyOnWriteArrayList<>();

	/** States after results that the listeners have not received yet. */
	private final Queue<Status> unreported = new ConcurrentLinkedQueue<>();

	/** Whether a caller waits for the fetch in flight. */
	private volatile boolean awaited;

	private volatile @Nullable FetchResult lastResult;

	private long lastResultNanos;

	private volatile @Nullable Instant lastGoodAt;

	private volatile boolean deprecated;

	PromptCache(CacheManager caches, StatsCounter statistics, ComfyCloudClient client, Fleet fleet,
			GatewayProperties properties, Ticker ticker, InstantSource clock, RandomGenerator random) {
		CaffeineCache named = (CaffeineCache) Objects.requireNonNull(caches.getCache(NAME));
		this.cache = named;
		this.quietly = named.getNativeCache().policy();
		this.statistics = statistics;
		this.client = client;
		this.fleet = fleet;
		this.properties = properties;
		this.policy = FreshnessPolicy.of(properties);
		this.maxWaitNanos = client.deadline().plus(DEADLINE_MARGIN).toNanos();
		this.ticker = ticker;
		this.clock = clock;
		this.random = random;
		fleet.onResult(this::applyAnnounced);
	}

	/**
	 * Looks up the answer for a caller, and has it fetched where that is needed. Never
	 * blocks.
	 */
	public Lookup lookup(RequestDirectives wanted) {
		return Objects.requireNonNull(lookup(wanted, true));
	}

	/**
	 * Looks up the answer for a caller where it is in memory; a refresh may start in the
	 * background. Absent where the caller would have to wait: nothing is counted or
	 * started then.
	 */
	public Optional<Lookup> lookupInMemory(RequestDirectives wanted) {
		return Optional.ofNullable(lookup(wanted, false));
	}

	private @Nullable Lookup lookup(RequestDirectives wanted, boolean mayWait) {
		FetchResult seen = lastResult;
		long now = ticker.read();
		Snapshot stored = stored(now);
		if (stored == null) {
			return fetch(null, wanted, Forward.URI_MISS, seen, now, mayWait);
		}
		return switch (policy.evaluate(stored, now, wanted)) {
			case FRESH -> hit(stored, now, Detail.NONE, null);
			case REFRESH_FLOOR -> hit(stored, now, Detail.REFRESH_FLOOR, null);
			case REVALIDATE -> lastCooldown(seen) == null ? revalidate(stored, wanted, seen, now)
					: fetch(stored, wanted, Forward.STALE, seen, now, mayWait);
			case STALE -> fetch(stored, wanted, Forward.STALE, seen, now, mayWait);
			case REFUSED_BY_CALLER -> fetch(stored, wanted, Forward.REQUEST, seen, now, mayWait);
		};
	}

	/**
	 * Starts a refresh for listeners, if one is due.
	 * @param awaited whether a listener waits for the result, as a caller would
	 */
	public void refresh(boolean awaited) {
		FetchResult seen = lastResult;
		if (nanosUntilRefresh(currentResult(seen), ticker.read()) <= 0) {
			join(seen, RequestDirectives.NONE, !awaited);
		}
	}

	/**
	 * Time until the state can change without a new result: until the next refresh for
	 * listeners is due, or until an answer that stands in for a failure ends. In
	 * nanoseconds; zero or less where a refresh is due now.
	 */
	public long nanosUntilChange() {
		long now = ticker.read();
		FetchResult last = currentResult(lastResult);
		Cooldown cooldown = last == null ? null : last.cooldown();
		Snapshot stored = cooldown == null ? null : stored(now);
		long life = cooldown == null || stored == null ? 0 : policy.remainingLife(stored, now, cooldown.failure());
		long refresh = nanosUntilRefresh(last, now);
		return life > 0 ? Math.min(life, refresh) : refresh;
	}

	/**
	 * Counts from the arrival of the last result, whatever it was: an answer that is old
	 * on arrival is no reason to ask more often.
	 */
	private long nanosUntilRefresh(@Nullable FetchResult last, long now) {
		return switch (last) {
			case null -> 0;
			case FetchResult.Success(Snapshot snapshot, boolean ignored) ->
				Math.max(policy.freshFor(), MIN_REFRESH_NANOS) - snapshot.sinceArrival(now);
			case FetchResult.Failure(Cooldown pause) -> pause.until() - now;
		};
	}

	/** Longest time of a fetch ({@code comfy.deadline}), with a margin. */
	public Duration maxWait() {
		return Duration.ofNanos(maxWaitNanos);
	}

	/**
	 * Adds a listener. It receives the state after each result of the upstream, with an
	 * answer also where that cannot be stored, on the thread that brings the result. It
	 * must not block.
	 */
	public void addListener(Consumer<Status> listener) {
		listeners.add(listener);
	}

	/** State of the gateway, without a request to the upstream. */
	public Status status() {
		long now = ticker.read();
		FetchResult last = currentResult(lastResult);
		Cooldown cooldown = last == null ? null : last.cooldown();
		if (last instanceof FetchResult.Success(Snapshot snapshot, boolean ignored)
				&& snapshot.sinceArrival(now) < MIN_REFRESH_NANOS) {
			// Listeners have it, whether it could be stored or not
			return status(last, snapshot, now);
		}
		Snapshot stored = stored(now);
		boolean serves = stored != null
				&& (cooldown == null || policy.remainingLife(stored, now, cooldown.failure()) > 0);
		return status(last, serves ? stored : null, now);
	}

	private Status status(@Nullable FetchResult last, @Nullable Snapshot observed, long now) {
		Cooldown cooldown = last == null ? null : last.cooldown();
		long pause = cooldown == null || cooldown.isOver(now) ? 0 : cooldown.until() - now;
		return new Status(Optional.ofNullable(observed),
				last == null ? Optional.empty() : Optional.of(cooldown == null),
				Optional.ofNullable(cooldown).map(Cooldown::failure), pause,
				pause == 0 ? Optional.empty() : Optional.of(clock.instant().plusNanos(pause)),
				Optional.ofNullable(lastGoodAt), cooldown != null && cooldown.keyRefused(), deprecated,
				client.keyFile(), fleet.state());
	}

	private @Nullable Snapshot stored(long now) {
		Snapshot stored = (Snapshot) quietly.getIfPresentQuietly(KEY);
		return stored == null || stored.keyVersion() != client.keyVersion() || policy.remainingLife(stored, now) <= 0
				? null : stored;
	}

	private Lookup.Stored hit(Snapshot stored, long now, Detail detail, @Nullable UpstreamFailure failure) {
		statistics.recordHits(1);
		return stored(stored, now, detail, failure);
	}

	private Lookup.Stored stored(Snapshot stored, long now, Detail detail, @Nullable UpstreamFailure failure) {
		return new Lookup.Stored(stored, stored.age(now), policy.ttl(stored, now), detail, failure);
	}

	private Lookup revalidate(Snapshot stored, RequestDirectives wanted, @Nullable FetchResult seen, long now) {
		if (!wanted.onlyIfCached()) {
			join(seen, wanted, true);
		}
		boolean refreshing = !wanted.onlyIfCached() || inFlight.get() != null;
		return hit(stored, now, refreshing ? Detail.REVALIDATING : Detail.NONE, null);
	}

	/**
	 * Fetches an answer, unless the stored one or the cool-down's failure serves instead.
	 * After a fault, attempts run in the background while the stored answer may stand in.
	 * A hanging upstream then costs callers one deadline, not one at each attempt.
	 */
	private @Nullable Lookup fetch(@Nullable Snapshot stored, RequestDirectives wanted, Forward forward,
			@Nullable FetchResult seen, long now, boolean mayWait) {
		Cooldown cooldown = lastCooldown(seen);
		if (cooldown != null && stored != null
				&& policy.mayServeStaleOnError(cooldown.failure(), stored, now, wanted)) {
			if (!wanted.onlyIfCached() && cooldown.isOver(now)) {
				join(seen, wanted, true);
			}
			return hit(stored, now, Detail.UPSTREAM_FAILURE, cooldown.failure());
		}
		if (wanted.onlyIfCached()) {
			statistics.recordMisses(1);
			return new Lookup.NotCached();
		}
		if (cooldown != null && !cooldown.isOver(now)) {
			statistics.recordMisses(1);
			return new Lookup.Failed(cooldown.failure(), cooldown.retryAfterSeconds(now));
		}
		if (!mayWait) {
			return null;
		}
		statistics.recordMisses(1);
		return await(join(seen, wanted, false), wanted, forward);
	}

	/**
	 * Waits for a fetch. A fetch that another replica was to make can last longer than
	 * this caller may wait.
	 */
	private Lookup.Awaited await(InFlightFetch fetch, RequestDirectives wanted, Forward forward) {
		return new Lookup.Awaited(fetch.result()
			.thenCompose(result -> isNewEnough(result, wanted) ? CompletableFuture.completedFuture(result)
					: join(result, RequestDirectives.NO_CACHE, false).result())
			.thenApply(result -> switch (result) {
				case FetchResult.Success(Snapshot snapshot, boolean shared) -> {
					long age = shared ? snapshot.age(ticker.read()) : snapshot.ageOnArrival().toNanos();
					long ttl = policy.freshFor() - (age - snapshot.ageOnArrival().toNanos());
					yield new Lookup.Fetched(snapshot, age, ttl, forward, shared || fetch.collapsed(), shared);
				}
				case FetchResult.Failure(Cooldown pause) -> failed(pause, wanted);
			})
			.orTimeout(maxWaitNanos, TimeUnit.NANOSECONDS)
			.exceptionallyCompose(failure -> failure instanceof TimeoutException
					? CompletableFuture.completedFuture(timedOut(wanted)) : CompletableFuture.failedFuture(failure)));
	}

	/**
	 * Whether a result of the fleet is new to a caller, and not only to another one who
	 * waited for it.
	 */
	private boolean isNewEnough(FetchResult result, RequestDirectives wanted) {
		return !(result instanceof FetchResult.Success(Snapshot snapshot, boolean shared) && shared
				&& policy.evaluate(snapshot, ticker.read(), wanted) == FreshnessPolicy.Freshness.REFUSED_BY_CALLER);
	}

	private Lookup timedOut(RequestDirectives wanted) {
		return standIn(UpstreamFailure.timeout(client.keyVersion()), wanted, 1);
	}

	private Lookup failed(Cooldown cooldown, RequestDirectives wanted) {
		return standIn(cooldown.failure(), wanted, cooldown.retryAfterSeconds(ticker.read()));
	}

	/** Stored answer where it may stand in for the failure; otherwise the failure. */
	private Lookup standIn(UpstreamFailure failure, RequestDirectives wanted, long retryAfterSeconds) {
		long now = ticker.read();
		Snapshot stored = stored(now);
		if (stored != null && policy.mayServeStaleOnError(failure, stored, now, wanted)) {
			return stored(stored, now, Detail.UPSTREAM_FAILURE, failure);
		}
		return new Lookup.Failed(failure, retryAfterSeconds);
	}

	/** Cool-down after the last result, over or not; absent where that was a success. */
	private @Nullable Cooldown lastCooldown(@Nullable FetchResult seen) {
		FetchResult last = currentResult(seen);
		return last == null ? null : last.cooldown();
	}

	/** Result, unless it belongs to another key version. */
	private @Nullable FetchResult currentResult(@Nullable FetchResult result) {
		return result == null || result.keyVersion() != client.keyVersion() ? null : result;
	}

	/**
	 * Joins the fetch in flight, or starts one.
	 * @param seen last result at the time of the lookup; where a newer one exists, it is
	 * used in place of a fetch
	 * @param background whether the caller does not wait for the result
	 */
	private InFlightFetch join(@Nullable FetchResult seen, RequestDirectives wanted, boolean background) {
		CompletableFuture<FetchResult> mine = new CompletableFuture<>();
		CompletableFuture<FetchResult> running = inFlight.compareAndExchange(null, mine);
		if (running != null) {
			if (!background) {
				// A claim that is not made yet is promoted afterwards
				awaited = true;
				fleet.promote();
			}
			return new InFlightFetch(running, true);
		}
		FetchResult last = currentResult(lastResult);
		if (last != null && last != seen) {
			end();
			mine.complete(last);
			return new InFlightFetch(mine, true);
		}
		claim(wanted, background, mine);
		return new InFlightFetch(mine, false);
	}

	private void claim(RequestDirectives wanted, boolean background, CompletableFuture<FetchResult> mine) {
		try {
			CompletableFuture<Fleet.Claim> claimed = fleet.claim(policy.newBelow(wanted), background);
			if (awaited) {
				fleet.promote();
			}
			claimed.whenComplete((claim, bug) -> {
				if (bug != null) {
					crash(mine, bug);
				}
				else if (claim instanceof Fleet.Claim.Shared(SharedResult result)
						&& result.keyVersion() != client.keyVersion()) {
					// Of the account before a change of the key
					claim(wanted, background, mine);
				}
				else {
					follow(claim, mine);
				}
			});
		}
		catch (RuntimeException | Error bug) {
			crash(mine, bug);
		}
	}

	private void follow(Fleet.Claim claim, CompletableFuture<FetchResult> mine) {
		switch (claim) {
			case Fleet.Claim.Shared(SharedResult result) -> complete(mine, () -> applyShared(result));
			case Fleet.Claim.Granted granted -> {
				// Does nothing after a publication; any other end must not block other
				// replicas
				mine.whenComplete((result, bug) -> granted.lease().release());
				fetch(granted.lease(), mine);
			}
		}
	}

	private void fetch(Fleet.Lease lease, CompletableFuture<FetchResult> mine) {
		try {
			long asked = ticker.read();
			client.fetch().whenComplete((outcome, bug) -> {
				if (bug == null) {
					complete(mine, () -> store(outcome, asked, lease));
				}
				else {
					crash(mine, bug);
				}
			});
		}
		catch (RuntimeException | Error bug) {
			crash(mine, bug);
		}
	}

	private void complete(CompletableFuture<FetchResult> mine, Supplier<FetchResult> storing) {
		FetchResult result;
		try {
			result = storing.get();
		}
		catch (RuntimeException | Error bug) {
			crash(mine, bug);
			return;
		}
		end();
		reportResults();
		mine.complete(result);
	}

	private void end() {
		awaited = false;
		inFlight.set(null);
	}

	/** Reports results in their order, when a listener may start the next fetch. */
	private void reportResults() {
		synchronized (unreported) {
			for (Status status = unreported.poll(); status != null; status = unreported.poll()) {
				for (Consumer<Status> listener : listeners) {
					report(status, listener);
				}
			}
		}
	}

	/** A listener's bug must not keep the result from callers. */
	private void report(Status status, Consumer<Status> listener) {
		try {
			listener.accept(status);
		}
		catch (RuntimeException | Error bug) {
			bugs.log(bug);
		}
	}

	/** Stores the outcome of this replica's fetch. */
	private synchronized FetchResult store(UpstreamOutcome outcome, long asked, Fleet.Lease lease) {
		long now = ticker.read();
		return switch (outcome) {
			case UpstreamOutcome.Answered answered -> {
				Snapshot snapshot = new Snapshot(answered.promptInfo(), answered.age(), answered.deprecated(), asked,
						now, clock.instant(), answered.keyVersion());
				lease.publish(new SharedResult(answered.keyVersion(), Duration.ZERO, snapshot.share(now), null));
				yield store(snapshot, false);
			}
			case UpstreamFailure failure -> {
				FetchResult inARow = currentResult(lastResult);
				Cooldown cooldown = Cooldown.after(failure, inARow == null ? null : inARow.cooldown(), properties,
						random, now);
				lease.publish(new SharedResult(failure.keyVersion(), Duration.ZERO, null, cooldown.share(now)));
				yield store(cooldown);
			}
		};
	}

	/** Stores a result of the fleet, unless this replica knows a newer one. */
	private void applyAnnounced(SharedResult shared) {
		synchronized (this) {
			FetchResult last = currentResult(lastResult);
			if (shared.keyVersion() == client.keyVersion()
					&& (last == null || ticker.read() - lastResultNanos > shared.age().toNanos())) {
				applyShared(shared);
			}
		}
		reportResults();
	}

	/** Stores a result of the fleet. */
	private synchronized FetchResult applyShared(SharedResult shared) {
		long now = ticker.read();
		SharedResult.Answer answer = shared.answer();
		Snapshot newest = answer == null ? null : newest(Snapshot.of(answer, shared.keyVersion(), now), now);
		if (shared.failure() == null) {
			return store(Objects.requireNonNull(newest), true);
		}
		if (newest != null) {
			put(newest);
		}
		return store(Cooldown.of(shared.failure(), properties, now));
	}

	/** The answer, or the stored one where that is newer. */
	private Snapshot newest(Snapshot snapshot, long now) {
		Snapshot stored = stored(now);
		return stored != null && stored.sinceArrival(now) < snapshot.sinceArrival(now) ? stored : snapshot;
	}

	private FetchResult store(Snapshot snapshot, boolean shared) {
		put(snapshot);
		logDeprecation(snapshot.deprecated());
		return store(new FetchResult.Success(snapshot, shared));
	}

	private FetchResult store(Cooldown cooldown) {
		if (!FreshnessPolicy.isTransient(cooldown.failure())) {
			cache.evict(KEY);
		}
		return store(new FetchResult.Failure(cooldown));
	}

	private FetchResult store(FetchResult result) {
		FetchResult previous = lastResult;
		long now = ticker.read();
		lastResult = result;
		lastResultNanos = now;
		logChange(previous, result);
		if (currentResult(result) != null) {
			unreported.add(result instanceof FetchResult.Success(Snapshot snapshot, boolean ignored)
					? status(result, snapshot, now) : status());
		}
		return result;
	}

	private void put(Snapshot snapshot) {
		cache.put(KEY, snapshot);
		lastGoodAt = snapshot.observedAt();
	}

	private void crash(CompletableFuture<FetchResult> mine, Throwable bug) {
		bugs.log(bug);
		end();
		mine.completeExceptionally(bug);
	}

	/** Logs a change of state, and a change of the cause within an outage. */
	private void logChange(@Nullable FetchResult previous, FetchResult result) {
		Cooldown before = previous == null ? null : previous.cooldown();
		Cooldown now = result.cooldown();
		if (now == null) {
			if (before != null) {
				log.info("Upstream {} answers again after {} s and {} failed attempts", client.host(),
						TimeUnit.NANOSECONDS.toSeconds(ticker.read() - before.since()), before.failures());
			}
			return;
		}
		String cause = cause(now.failure());
		boolean sameKey = previous != null && previous.keyVersion() == result.keyVersion();
		if (before != null && sameKey && cause.equals(cause(before.failure()))) {
			return;
		}
		Instant next = clock.instant().plusNanos(now.until() - ticker.read()).truncatedTo(ChronoUnit.MILLIS);
		if (now.failure().reason().isKeyRefused()) {
			log.error("Upstream {} refuses the key: {}; replace the key; next attempt not before {}", client.host(),
					cause, next);
		}
		else {
			log.warn("Upstream {} fails: {}; next attempt not before {}", client.host(), cause, next);
		}
	}

	/** What failed, as the log says it: never the upstream's message. */
	private String cause(UpstreamFailure failure) {
		ErrorAnswer answer = ErrorAnswer.of(failure);
		String cause = answer.body().code() + ", " + answer.reason();
		if (failure.proxyStatus().isPresent()) {
			return cause + "; the outbound proxy answered " + failure.status();
		}
		// Which of the two failed cannot always be told
		return failure.status() == 0
				? cause + client.proxy().map(proxy -> "; through the outbound proxy " + proxy).orElse("") : cause;
	}

	private void logDeprecation(boolean announced) {
		if (announced && !deprecated) {
			log.warn("Upstream {} announces the end of this API by Deprecation or Sunset", client.host());
		}
		deprecated = announced;
	}

	/**
	 * State of the gateway, for operators.
	 *
	 * @param observed the last good answer, where it may still be served
	 * @param up whether the last fetch succeeded; absent before the first with this key
	 * @param failure failure of the last fetch; absent after a success
	 * @param cooldownNanos time left until the upstream may be asked again; 0 where it
	 * may be now
	 * @param nextAttemptAt end of the cool-down; absent where there is none
	 * @param lastGoodAt when the last good answer was observed, however old it is
	 * @param keyRefused whether the upstream refused the key, and no answer since shows
	 * that it accepts the key
	 * @param deprecated whether the last good answer announced the end of the API
	 * @param keyFile state of the key's file; absent where there is none
	 * @param fleet state of the fleet; absent where there is none
	 */
	public record Status(Optional<Snapshot> observed, Optional<Boolean> up, Optional<UpstreamFailure> failure,
			long cooldownNanos, Optional<Instant> nextAttemptAt, Optional<Instant> lastGoodAt, boolean keyRefused,
			boolean deprecated, Optional<KeyFileState> keyFile, Optional<String> fleet) {

		/** State of the upstream in one word or two, as health says it. */
		public String state() {
			if (up.isEmpty()) {
				return "not asked yet";
			}
			return failure.map(last -> last.reason().isKeyRefused() ? "key refused" : "failing").orElse("answering");
		}

	}

}
