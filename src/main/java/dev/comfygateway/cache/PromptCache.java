package dev.comfygateway.cache;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.comfygateway.GatewayProperties;
import dev.comfygateway.cache.Lookup.Detail;
import dev.comfygateway.cache.Lookup.Forward;
import dev.comfygateway.upstream.ComfyCloudClient;
import dev.comfygateway.upstream.UpstreamFailure;
import dev.comfygateway.upstream.UpstreamOutcome;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.cache.Cache;
import org.springframework.cache.CacheManager;
import org.springframework.stereotype.Component;

/**
 * Cache of the one answer there is, and of what the last request for it came to.
 *
 * <p>
 * The flight, the one request under way, is an object of ours and not Caffeine's loading
 * or refreshing: those forget a load when the entry beneath it expires, and wake those
 * who wait before the new entry can be seen. Each would make a second request.
 */
@Component
public class PromptCache {

	static final String NAME = "prompt";

	private static final String KEY = "/api/prompt";

	private static final Logger log = LoggerFactory.getLogger(PromptCache.class);

	private final Cache cache;

	private final ComfyCloudClient client;

	private final GatewayProperties properties;

	private final Lifetime lifetime;

	private final Ticker ticker;

	private final InstantSource clock;

	private final RandomGenerator random;

	private final AtomicReference<@Nullable CompletableFuture<Landing>> flight = new AtomicReference<>();

	private volatile @Nullable Landing lastLanding;

	PromptCache(CacheManager caches, ComfyCloudClient client, GatewayProperties properties, Ticker ticker,
			InstantSource clock, RandomGenerator random) {
		this.cache = Objects.requireNonNull(caches.getCache(NAME));
		this.client = client;
		this.properties = properties;
		this.lifetime = Lifetime.of(properties);
		this.ticker = ticker;
		this.clock = clock;
		this.random = random;
	}

	/**
	 * Looks up the answer for a caller, and has it fetched where that is needed. Never
	 * blocks.
	 */
	public Lookup lookup(RequestDirectives wanted) {
		Landing seen = lastLanding;
		long now = ticker.read();
		Snapshot stored = stored(now);
		if (stored == null) {
			return wanted.onlyIfCached() ? new Lookup.NotCached() : fetch(wanted, Forward.URI_MISS, seen, now);
		}
		long age = stored.age(now);
		return switch (lifetime.judge(age, wanted)) {
			case FRESH -> serve(stored, age, Detail.NONE, null);
			case REFRESH_FLOOR -> serve(stored, age, Detail.REFRESH_FLOOR, null);
			case REVALIDATE -> revalidate(stored, age, wanted, seen, now);
			case STALE -> wanted.onlyIfCached() ? new Lookup.NotCached() : fetch(wanted, Forward.STALE, seen, now);
			case REFUSED_BY_CALLER ->
				wanted.onlyIfCached() ? new Lookup.NotCached() : fetch(wanted, Forward.REQUEST, seen, now);
		};
	}

	/**
	 * Looks up the answer for a caller where it serves as it is: nothing is fetched.
	 */
	public Lookup.@Nullable Stored fresh(RequestDirectives wanted) {
		long now = ticker.read();
		Snapshot stored = stored(now);
		if (stored == null) {
			return null;
		}
		long age = stored.age(now);
		return switch (lifetime.judge(age, wanted)) {
			case FRESH -> serve(stored, age, Detail.NONE, null);
			case REFRESH_FLOOR -> serve(stored, age, Detail.REFRESH_FLOOR, null);
			case REVALIDATE, STALE, REFUSED_BY_CALLER -> null;
		};
	}

	/**
	 * What a caller who asks nothing of the cache has to wait for, together with others;
	 * null where {@link #lookup} has an answer, or would have to ask for one.
	 */
	public Lookup.@Nullable Awaited underWay() {
		CompletableFuture<Landing> running = flight.get();
		if (running == null) {
			return null;
		}
		long now = ticker.read();
		Snapshot stored = stored(now);
		if (coolingDown(lastLanding, now) != null || (stored != null
				&& lifetime.judge(stored.age(now), RequestDirectives.NONE) != Lifetime.Verdict.STALE)) {
			return null;
		}
		return await(new Boarding(running, true), RequestDirectives.NONE,
				stored == null ? Forward.URI_MISS : Forward.STALE);
	}

	/** What is known now, without asking anybody. */
	public Status status() {
		long now = ticker.read();
		Landing last = currentLanding(lastLanding);
		Cooldown cooldown = last == null ? null : last.cooldown();
		long pause = cooldown == null || cooldown.isOver(now) ? 0 : cooldown.until() - now;
		return new Status(Optional.ofNullable(stored(now)).map(stored -> new Status.Observed(stored, stored.age(now))),
				last == null ? Optional.empty() : Optional.of(cooldown == null),
				Optional.ofNullable(cooldown).map(Cooldown::failure), pause, clock.instant().plusNanos(pause),
				cooldown != null && cooldown.keyRefused(), client.isKeyUnreadable());
	}

	private @Nullable Snapshot stored(long now) {
		Snapshot stored = cache.get(KEY, Snapshot.class);
		return stored == null || stored.keyGeneration() != client.keyVersion() || lifetime.isOver(stored.age(now))
				? null : stored;
	}

	private Lookup.Stored serve(Snapshot stored, long age, Detail detail, @Nullable UpstreamFailure failure) {
		return new Lookup.Stored(stored, age, lifetime.freshFor() - age, detail, failure);
	}

	private Lookup revalidate(Snapshot stored, long age, RequestDirectives wanted, @Nullable Landing seen, long now) {
		Cooldown cooldown = coolingDown(seen, now);
		if (cooldown != null) {
			return serve(stored, age, Detail.UPSTREAM_FAILURE, cooldown.failure());
		}
		if (!wanted.onlyIfCached()) {
			join(seen);
		}
		else if (flight.get() == null) {
			return serve(stored, age, Detail.NONE, null);
		}
		return serve(stored, age, Detail.REVALIDATING, null);
	}

	private Lookup fetch(RequestDirectives wanted, Forward forward, @Nullable Landing seen, long now) {
		Cooldown cooldown = coolingDown(seen, now);
		if (cooldown != null) {
			return failed(cooldown, wanted, true);
		}
		return await(join(seen), wanted, forward);
	}

	private Lookup.Awaited await(Boarding boarding, RequestDirectives wanted, Forward forward) {
		return new Lookup.Awaited(boarding.flight.thenApply(landing -> switch (landing) {
			case Landing.Good(Snapshot snapshot) -> new Lookup.Fetched(snapshot, forward, boarding.collapsed);
			case Landing.Bad(Cooldown bad) -> failed(bad, wanted, false);
		}));
	}

	/** The stored answer where it may stand in for the failure, else the failure. */
	private Lookup failed(Cooldown cooldown, RequestDirectives wanted, boolean fromCooldown) {
		long now = ticker.read();
		Snapshot stored = stored(now);
		if (stored != null && lifetime.servesInstead(cooldown.failure(), stored.age(now), wanted)) {
			return serve(stored, stored.age(now), Detail.UPSTREAM_FAILURE, cooldown.failure());
		}
		return new Lookup.Failed(cooldown.failure(), cooldown.retryAfterSeconds(now), fromCooldown);
	}

	private @Nullable Cooldown coolingDown(@Nullable Landing seen, long now) {
		Landing last = currentLanding(seen);
		Cooldown cooldown = last == null ? null : last.cooldown();
		return cooldown == null || cooldown.isOver(now) ? null : cooldown;
	}

	/** What was learned with another key is void. */
	private @Nullable Landing currentLanding(@Nullable Landing landing) {
		return landing == null || landing.keyGeneration() != client.keyVersion() ? null : landing;
	}

	/**
	 * Joins the flight under way, or starts one.
	 * @param seen the last landing when the caller looked: where another came since, that
	 * is what the caller was about to fetch
	 */
	private Boarding join(@Nullable Landing seen) {
		CompletableFuture<Landing> mine = new CompletableFuture<>();
		CompletableFuture<Landing> running = flight.compareAndExchange(null, mine);
		if (running != null) {
			return new Boarding(running, true);
		}
		Landing last = currentLanding(lastLanding);
		if (last != null && last != seen) {
			flight.set(null);
			mine.complete(last);
			return new Boarding(mine, true);
		}
		try {
			client.fetch().whenComplete((outcome, bug) -> {
				if (bug == null) {
					land(mine, outcome);
				}
				else {
					crash(mine, bug);
				}
			});
		}
		catch (RuntimeException | Error bug) {
			crash(mine, bug);
		}
		return new Boarding(mine, false);
	}

	/**
	 * Stores first, then frees the way for the next flight, then tells those who wait.
	 */
	private void land(CompletableFuture<Landing> mine, UpstreamOutcome outcome) {
		Landing landing;
		try {
			landing = store(outcome);
		}
		catch (RuntimeException | Error bug) {
			crash(mine, bug);
			return;
		}
		flight.set(null);
		mine.complete(landing);
	}

	private Landing store(UpstreamOutcome outcome) {
		Landing previous = lastLanding;
		Landing landing = switch (outcome) {
			case UpstreamOutcome.Answered(var promptInfo, var keyGeneration) -> {
				Snapshot snapshot = new Snapshot(promptInfo, ticker.read(), clock.instant(), keyGeneration);
				cache.put(KEY, snapshot);
				yield new Landing.Good(snapshot);
			}
			case UpstreamFailure failure -> {
				if (!Lifetime.isFault(failure)) {
					cache.evict(KEY);
				}
				Landing inARow = currentLanding(previous);
				yield new Landing.Bad(Cooldown.after(failure, inARow == null ? null : inARow.cooldown(), properties,
						random, ticker.read()));
			}
		};
		lastLanding = landing;
		logChange(previous, landing);
		return landing;
	}

	/** Only the kind of a bug is told: its text could hold anything. */
	private void crash(CompletableFuture<Landing> mine, Throwable bug) {
		StackTraceElement[] trace = bug.getStackTrace();
		log.error("A request to the upstream ended in a bug: {} at {}", bug.getClass().getName(),
				trace.length == 0 ? "an unknown place" : trace[0]);
		flight.set(null);
		mine.completeExceptionally(bug);
	}

	private static void logChange(@Nullable Landing previous, Landing landing) {
		Cooldown before = previous == null ? null : previous.cooldown();
		Cooldown now = landing.cooldown();
		if (now == null) {
			if (before != null) {
				log.info("The upstream answers again");
			}
		}
		else if (now.keyRefused()) {
			if (before == null || !before.keyRefused() || before.failure().keyVersion() != now.failure().keyVersion()) {
				log.error("The upstream refuses the key with {}: replace it; until then callers get an error",
						now.failure().status());
			}
		}
		else if (before == null || before.keyRefused()) {
			log.warn("The upstream fails: {}, status {}; it is asked again after a pause", now.failure().reason(),
					now.failure().status());
		}
	}

	/** A place in a flight: its landing, and whether another caller had started it. */
	private record Boarding(CompletableFuture<Landing> flight, boolean collapsed) {
	}

	/** What a flight came to. */
	private sealed interface Landing {

		record Good(Snapshot snapshot) implements Landing {
		}

		record Bad(Cooldown pause) implements Landing {
		}

		default @Nullable Cooldown cooldown() {
			return this instanceof Bad(Cooldown pause) ? pause : null;
		}

		default long keyGeneration() {
			return switch (this) {
				case Good(Snapshot snapshot) -> snapshot.keyGeneration();
				case Bad(Cooldown pause) -> pause.failure().keyVersion();
			};
		}

	}

	/**
	 * What the gateway knows, for operators.
	 *
	 * @param observed the last good answer, where it may still be served
	 * @param up whether the last request succeeded; absent before the first with this key
	 * @param failure the last request's failure, where it failed
	 * @param cooldownNanos time left until the upstream may be asked again; 0 where it
	 * may be now
	 * @param nextAttempt the earliest time of the next request
	 * @param keyRefused whether the upstream refused the key and has not taken it since
	 * @param keyUnreadable whether the key's file cannot be used, so that an older key is
	 * in use
	 */
	public record Status(Optional<Observed> observed, Optional<Boolean> up, Optional<UpstreamFailure> failure,
			long cooldownNanos, Instant nextAttempt, boolean keyRefused, boolean keyUnreadable) {

		/**
		 * Last good answer.
		 *
		 * @param snapshot the answer
		 * @param ageNanos its age
		 */
		public record Observed(Snapshot snapshot, long ageNanos) {
		}
	}

}
