package dev.comfygateway.fleet;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.comfygateway.cache.Fleet;
import dev.comfygateway.upstream.ComfyCloudClient;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.springframework.context.SmartLifecycle;

/**
 * Fleet through Redis. Spring starts it after Lettuce's connection factory, and stops it
 * before.
 */
final class RedisFleet implements Fleet, SmartLifecycle {

	/** After Lettuce's connection factory, whose phase is 0. */
	private static final int PHASE = 1;

	private final FleetConnections connections;

	private final FleetState state;

	private final FleetAnnouncements announcements;

	private final FleetRecovery recovery;

	private final FleetClaims claims;

	RedisFleet(FleetConnections connections, FleetState state, FleetTimes times, ComfyCloudClient client, Ticker ticker,
			MeterRegistry meters) {
		FleetScripts scripts = new FleetScripts(connections, times, ticker, client::withoutKey, meters);
		this.connections = connections;
		this.state = state;
		this.announcements = new FleetAnnouncements(connections, scripts, state, client, this::onFailure);
		this.recovery = new FleetRecovery(connections, scripts, state, times, client, announcements);
		this.claims = new FleetClaims(scripts, state, times, client, ticker, announcements, recovery);
	}

	/**
	 * Passes a failure on. {@link FleetAnnouncements} reports failures to
	 * {@link FleetRecovery}, which needs the announcements in its constructor: this
	 * method breaks the cycle.
	 */
	private void onFailure(Throwable failure) {
		recovery.onFailure(failure);
	}

	@Override
	public CompletableFuture<Claim> claim(long maxSinceArrivalNanos, boolean background) {
		return claims.claim(maxSinceArrivalNanos, background);
	}

	@Override
	public void promote() {
		claims.promote();
	}

	@Override
	public void onResult(Consumer<Claim.Shared> receiver) {
		announcements.setReceiver(receiver);
	}

	@Override
	public Optional<String> state() {
		return Optional.of(state.code());
	}

	@Override
	public void start() {
		recovery.start();
	}

	@Override
	public void stop() {
		recovery.stop();
		claims.releaseBeforeStop();
		connections.close();
	}

	@Override
	public boolean isRunning() {
		return recovery.isRunning();
	}

	@Override
	public int getPhase() {
		return PHASE;
	}

}
