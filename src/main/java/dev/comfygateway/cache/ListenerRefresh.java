package dev.comfygateway.cache;

import com.github.benmanes.caffeine.cache.Ticker;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/**
 * Refresh of the answer for listeners of the event stream. After an answer, the next
 * refresh is due {@code fresh-for} (at least 500 ms) after its arrival, regardless of its
 * {@code Age}. After a failure, it is due at the end of the cool-down.
 */
@Component
public class ListenerRefresh {

	private final ResultStore results;

	private final Fetches fetches;

	private final FreshnessPolicy policy;

	private final Ticker ticker;

	ListenerRefresh(ResultStore results, Fetches fetches, FreshnessPolicy policy, Ticker ticker) {
		this.results = results;
		this.fetches = fetches;
		this.policy = policy;
		this.ticker = ticker;
	}

	/**
	 * Starts a refresh if one is due.
	 * @param awaited whether a listener waits for the result
	 */
	public void startIfDue(boolean awaited) {
		FetchResult seen = results.last();
		if (nanosUntilDue(results.ofCurrentKey(seen), ticker.read()) <= 0) {
			fetches.joinOrStart(seen, RequestDirectives.NONE, !awaited);
		}
	}

	/**
	 * Returns the nanoseconds until the status can change without a new result: until the
	 * next refresh is due, or until an answer that is served in place of a failure
	 * expires. Zero or negative if a refresh is due now.
	 */
	public long nanosUntilChange() {
		long now = ticker.read();
		FetchResult last = results.ofCurrentKey(results.last());
		long refresh = nanosUntilDue(last, now);
		if (!(last instanceof Cooldown cooldown)) {
			return refresh;
		}
		Snapshot stored = results.answer(now);
		long life = stored == null ? 0 : policy.remainingLifetime(stored, now, cooldown.failure());
		return life > 0 ? Math.min(life, refresh) : refresh;
	}

	private long nanosUntilDue(@Nullable FetchResult last, long now) {
		return switch (last) {
			case null -> 0;
			case Snapshot snapshot ->
				Math.max(policy.freshFor(), ResultStore.MIN_REFRESH_NANOS) - snapshot.sinceArrival(now);
			case Cooldown cooldown -> cooldown.untilNanos() - now;
		};
	}

}
