package dev.comfygateway.cache;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.comfygateway.log.StateChangeLog;
import dev.comfygateway.error.GatewayError;
import dev.comfygateway.upstream.ComfyCloudClient;
import dev.comfygateway.upstream.Deprecation;
import dev.comfygateway.upstream.UpstreamFailure;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Log of the state of the upstream: one line for each change of state, and for each
 * change of the cause within an outage. Changes that repeat within a minute are only
 * counted.
 */
final class UpstreamLog {

	private static final Logger log = LoggerFactory.getLogger(UpstreamLog.class);

	private static final String ANSWERS = "answers";

	private static final String ANSWERS_WITHOUT_NUMBER = "responds without a queue length";

	private final ComfyCloudClient client;

	private final Ticker ticker;

	private final InstantSource clock;

	private final StateChangeLog changes = new StateChangeLog(ANSWERS);

	/**
	 * Cause of the last failure since an answer or a summary was logged; empty if there
	 * was none.
	 */
	private volatile String lastCause = "";

	UpstreamLog(ComfyCloudClient client, Ticker ticker, InstantSource clock) {
		this.client = client;
		this.ticker = ticker;
		this.clock = clock;
	}

	/** Logs a result if it changes the state or the cause. */
	void logChange(@Nullable FetchResult previous, FetchResult result) {
		long now = ticker.read();
		if (result instanceof Cooldown cooldown) {
			String cause = cause(cooldown.failure());
			lastCause = cause;
			changes.record(cooldown.keyVersion() + " " + cause, now, () -> logFailure(cooldown, cause),
					count -> logUnsteady(count,
							"fails: " + cause + "; next attempt not before " + nextAttempt(cooldown)));
		}
		else {
			String state = hasNumber(result) ? ANSWERS : ANSWERS_WITHOUT_NUMBER;
			changes.record(state, now, () -> logAnswer(previous, result, now), count -> logUnsteady(count,
					state + (lastCause.isEmpty() ? "" : "; the last failure: " + lastCause)));
		}
	}

	private void logFailure(Cooldown cooldown, String cause) {
		boolean keyRefused = cooldown.failure().reason().isKeyRefused();
		GatewayError error = GatewayError.of(cooldown.failure());
		log.atLevel(keyRefused ? Level.ERROR : Level.WARN)
			.addKeyValue("code", error.body().code())
			.addKeyValue("reason", error.reason())
			.log(keyRefused ? "Upstream {} refuses the key: {}; {}next attempt not before {}"
					: "Upstream {} fails: {}; {}next attempt not before {}", client.host(), cause, advice(cooldown),
					nextAttempt(cooldown));
	}

	private static String advice(Cooldown cooldown) {
		return switch (cooldown.failure().reason()) {
			case UNAUTHORIZED -> "replace the key; ";
			case FORBIDDEN -> "check the account of the key; ";
			default -> "";
		};
	}

	private Instant nextAttempt(Cooldown cooldown) {
		return clock.instant().plusNanos(cooldown.untilNanos() - ticker.read()).truncatedTo(ChronoUnit.MILLIS);
	}

	private void logAnswer(@Nullable FetchResult previous, FetchResult result, long now) {
		lastCause = "";
		if (previous instanceof Cooldown outage) {
			log.info("Upstream {} answers again after {} s and {} failed attempts", client.host(),
					TimeUnit.NANOSECONDS.toSeconds(now - outage.firstFailureNanos()), outage.failures());
		}
		if (!hasNumber(result)) {
			log.warn("Upstream {} responds without a queue length", client.host());
		}
		else if (previous instanceof Snapshot && !hasNumber(previous)) {
			log.info("Upstream {} responds with a queue length again", client.host());
		}
	}

	private static boolean hasNumber(FetchResult result) {
		return result instanceof Snapshot snapshot && snapshot.promptInfo().remaining() != null;
	}

	private void logUnsteady(int count, String state) {
		lastCause = "";
		log.warn("Upstream {} is flapping: {} further state changes since the last line; now it {}", client.host(),
				count, state);
	}

	/** Returns the cause of a failure, without the upstream's message. */
	private String cause(UpstreamFailure failure) {
		GatewayError error = GatewayError.of(failure);
		String cause = error.body().code() + ", " + error.reason();
		if (failure.detail() != null) {
			cause += "; " + failure.detail();
		}
		if (failure.proxyStatus().isPresent()) {
			return cause + "; the outbound proxy answered " + failure.status();
		}
		// If there is no status, either the proxy or the upstream has failed
		return failure.status() == 0
				? cause + client.proxy().map(proxy -> "; through the outbound proxy " + proxy).orElse("") : cause;
	}

	void logDeprecation(Deprecation deprecation) {
		log.warn("Upstream {} announces the end of this API: {}", client.host(), deprecation);
	}

}
