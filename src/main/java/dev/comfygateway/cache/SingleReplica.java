package dev.comfygateway.cache;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/** Fleet of one replica, which shares nothing. */
final class SingleReplica implements Fleet {

	private final Claim granted;

	/**
	 * Creates the fleet.
	 * @param deadline longest time that a fetch may take
	 */
	SingleReplica(Duration deadline) {
		this.granted = new Claim.Granted(deadline, result -> {
		});
	}

	@Override
	public CompletableFuture<Claim> claim(long maxAgeNanos, boolean background) {
		return CompletableFuture.completedFuture(granted);
	}

	@Override
	public void onResult(Consumer<SharedResult> listener) {
		// There are no others
	}

	@Override
	public Optional<String> state() {
		return Optional.empty();
	}

}
