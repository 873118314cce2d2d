package dev.comfygateway.cache;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/** {@link Fleet} stub whose claims a test completes. */
final class FleetStub implements Fleet {

	final List<Claimed> claims = new ArrayList<>();

	final List<FetchResult> published = new ArrayList<>();

	int promotions;

	Runnable onClaim = () -> {
	};

	Runnable onPublish = () -> {
	};

	int released;

	private Consumer<Claim.Shared> receiver = result -> {
	};

	@Override
	public CompletableFuture<Claim> claim(long maxSinceArrivalNanos, boolean background) {
		Claimed claimed = new Claimed(Duration.ofNanos(maxSinceArrivalNanos), background, new CompletableFuture<>());
		claims.add(claimed);
		onClaim.run();
		return claimed.claim;
	}

	@Override
	public void promote() {
		promotions++;
	}

	@Override
	public void onResult(Consumer<Claim.Shared> resultReceiver) {
		receiver = resultReceiver;
	}

	@Override
	public Optional<String> state() {
		return Optional.of("ok");
	}

	void grant() {
		claims.getLast().claim.complete(new Claim.Granted(new Lease() {
			private boolean ended;

			@Override
			public void publish(FetchResult result) {
				ended = true;
				onPublish.run();
				published.add(result);
			}

			@Override
			public void release() {
				if (!ended) {
					ended = true;
					released++;
				}
			}
		}));
	}

	void share(Claim.Shared shared) {
		claims.getLast().claim.complete(shared);
	}

	void announce(Claim.Shared shared) {
		receiver.accept(shared);
	}

	/** Arguments and result of a call of {@code claim}. */
	record Claimed(Duration maxSinceArrival, boolean background, CompletableFuture<Claim> claim) {
	}

}
