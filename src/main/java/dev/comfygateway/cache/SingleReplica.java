package dev.comfygateway.cache;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/** Fleet of a single replica, which shares nothing. */
public final class SingleReplica implements Fleet {

	@Override
	public CompletableFuture<Claim> claim(long maxSinceArrivalNanos, boolean background) {
		return CompletableFuture.completedFuture(Claim.Granted.ALONE);
	}

	@Override
	public void promote() {
		// A claim is granted immediately
	}

	@Override
	public void onResult(Consumer<Claim.Shared> receiver) {
		// There are no other replicas
	}

	@Override
	public Optional<String> state() {
		return Optional.empty();
	}

}
