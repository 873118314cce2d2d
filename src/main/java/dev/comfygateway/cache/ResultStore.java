package dev.comfygateway.cache;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Ticker;
import dev.comfygateway.GatewayProperties;
import dev.comfygateway.upstream.ComfyCloudClient;
import dev.comfygateway.upstream.Deprecation;
import dev.comfygateway.upstream.UpstreamFailure;
import dev.comfygateway.upstream.UpstreamAnswer;
import dev.comfygateway.upstream.UpstreamOutcome;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.springframework.cache.CacheManager;
import org.springframework.cache.caffeine.CaffeineCache;
import org.springframework.stereotype.Component;

/**
 * Store of the last result and of the last good answer, which is the only entry of the
 * Caffeine cache. Derives the status of the upstream from them.
 */
@Component
class ResultStore {

	/** Name of the cache. */
	static final String NAME = "prompt";

	/** Minimum time between two refreshes for listeners. */
	static final long MIN_REFRESH_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

	private static final String KEY = "/api/prompt";

	private final Cache<Object, Object> entries;

	private final ComfyCloudClient client;

	private final FreshnessPolicy policy;

	private final GatewayProperties properties;

	private final Ticker ticker;

	private final InstantSource clock;

	private final RandomGenerator random;

	private final UpstreamLog changes;

	private final ResultReceivers receivers = new ResultReceivers();

	private volatile @Nullable FetchResult last;

	/** Ticker time at which the last result was added. */
	private long lastNanos;

	private volatile @Nullable Snapshot lastGood;

	ResultStore(CacheManager caches, ComfyCloudClient client, FreshnessPolicy policy, GatewayProperties properties,
			Ticker ticker, InstantSource clock, RandomGenerator random) {
		this.entries = ((CaffeineCache) Objects.requireNonNull(caches.getCache(NAME))).getNativeCache();
		this.client = client;
		this.policy = policy;
		this.properties = properties;
		this.ticker = ticker;
		this.clock = clock;
		this.random = random;
		this.changes = new UpstreamLog(client, ticker, clock);
	}

	/** Returns the last result, of any key version. */
	@Nullable FetchResult last() {
		return last;
	}

	/** Returns the result; null if it belongs to another key version. */
	@Nullable FetchResult ofCurrentKey(@Nullable FetchResult result) {
		return result == null || result.keyVersion() != client.keyVersion() ? null : result;
	}

	/** Returns the cool-down after a result, even if it is over; null after a success. */
	@Nullable Cooldown cooldown(@Nullable FetchResult result) {
		return ofCurrentKey(result) instanceof Cooldown cooldown ? cooldown : null;
	}

	/** Returns the stored answer; null if it may not be served to any caller. */
	@Nullable Snapshot answer(long now) {
		Snapshot stored = (Snapshot) entries.policy().getIfPresentQuietly(KEY);
		return stored == null || stored.keyVersion() != client.keyVersion()
				|| policy.remainingLifetime(stored, now) <= 0 ? null : stored;
	}

	/** Adds the result of this replica's fetch. */
	synchronized FetchResult add(UpstreamOutcome outcome, long requested) {
		long now = ticker.read();
		return switch (outcome) {
			case UpstreamAnswer answered -> addAnswer(new Snapshot(answered.promptInfo(), answered.age(),
					answered.deprecation(), requested, now, clock.instant(), answered.keyVersion()));
			case UpstreamFailure failure ->
				addFailure(Cooldown.after(failure, cooldown(last), properties, random, now));
		};
	}

	/**
	 * Adds a result that another replica announced. Ignores a result that arrived at its
	 * replica before the last one was added here, is too old for any caller, or of
	 * another key version.
	 */
	void addAnnounced(Fleet.Claim.Shared shared) {
		synchronized (this) {
			FetchResult result = shared.result();
			if (ofCurrentKey(result) != null && !isTooOld(result)
					&& (ofCurrentKey(last) == null || result.atNanos() - lastNanos > 0)) {
				add(shared);
			}
		}
		receivers.report();
	}

	private boolean isTooOld(FetchResult result) {
		return result instanceof Snapshot snapshot && policy.remainingLifetime(snapshot, ticker.read()) <= 0;
	}

	/** Adds a result of another replica. */
	synchronized FetchResult add(Fleet.Claim.Shared shared) {
		long now = ticker.read();
		return switch (shared.result()) {
			case Snapshot snapshot -> addAnswer(newest(snapshot, now).asShared());
			case Cooldown cooldown -> {
				if (shared.lastGood() != null) {
					put(newest(shared.lastGood(), now));
				}
				yield addFailure(cooldown);
			}
		};
	}

	/** Returns the given answer, or the stored one if that is newer. */
	private Snapshot newest(Snapshot snapshot, long now) {
		Snapshot stored = answer(now);
		return stored != null && stored.sinceArrival(now) < snapshot.sinceArrival(now) ? stored : snapshot;
	}

	private FetchResult addAnswer(Snapshot snapshot) {
		put(snapshot);
		return setLast(snapshot);
	}

	private FetchResult addFailure(Cooldown cooldown) {
		if (cooldown.invalidatesAnswer()) {
			entries.invalidate(KEY);
		}
		return setLast(cooldown);
	}

	private void put(Snapshot snapshot) {
		entries.put(KEY, snapshot);
		Deprecation announced = snapshot.deprecation();
		if (announced != null && (lastGood == null || !announced.equals(lastGood.deprecation()))) {
			changes.logDeprecation(announced);
		}
		lastGood = snapshot;
	}

	private FetchResult setLast(FetchResult result) {
		FetchResult previous = last;
		long now = ticker.read();
		last = result;
		lastNanos = now;
		changes.logChange(previous, result);
		if (ofCurrentKey(result) != null) {
			receivers.queue(result instanceof Snapshot snapshot ? status(result, snapshot, now) : status());
		}
		return result;
	}

	/** Returns the receivers of the status after each result. */
	ResultReceivers receivers() {
		return receivers;
	}

	UpstreamStatus status() {
		long now = ticker.read();
		FetchResult result = ofCurrentKey(last);
		if (result instanceof Snapshot snapshot && snapshot.sinceArrival(now) < MIN_REFRESH_NANOS) {
			// The answer was reported even if it could not be stored
			return status(result, snapshot, now);
		}
		Snapshot stored = answer(now);
		boolean serves = stored != null && (!(result instanceof Cooldown cooldown)
				|| policy.remainingLifetime(stored, now, cooldown.failure()) > 0);
		return status(result, serves ? stored : null, now);
	}

	private UpstreamStatus status(@Nullable FetchResult result, @Nullable Snapshot observed, long now) {
		Optional<Cooldown> cooldown = result instanceof Cooldown failed ? Optional.of(failed) : Optional.empty();
		Optional<Instant> nextAttemptAt = cooldown.filter(pause -> !pause.isExpired(now))
			.map(pause -> clock.instant().plusNanos(pause.remaining(now)));
		Optional<Snapshot> good = Optional.ofNullable(lastGood)
			.filter(snapshot -> snapshot.keyVersion() == client.keyVersion());
		return new UpstreamStatus(Optional.ofNullable(observed),
				result == null ? Optional.empty() : Optional.of(cooldown.isEmpty()), cooldown.map(Cooldown::failure),
				nextAttemptAt, good, cooldown.filter(Cooldown::keyRefused).isPresent());
	}

}
