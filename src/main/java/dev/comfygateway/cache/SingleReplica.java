package dev.comfygateway.cache;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/** Fleet of one replica, which shares nothing. */
public final class SingleReplica implements Fleet {

	private static final Claim GRANTED = new Claim.Granted(new Lease() {
		@Override
		public void publish(SharedResult result) {
			// Nobody to tell
		}

		@Override
		public void release() {
			// Nobody waits
		}
	});

	@Override
	public CompletableFuture<Claim> claim(long newBelowNanos, boolean background) {
		return CompletableFuture.completedFuture(GRANTED);
	}

	@Override
	public void promote() {
		// A claim is granted at once
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
