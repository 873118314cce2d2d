package dev.comfygateway.fleet;

import dev.comfygateway.cache.Fleet.Claim.Shared;
import dev.comfygateway.upstream.Account;
import dev.comfygateway.upstream.ComfyCloudClient;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Announcements of results. An announcement wakes the waiting claims, which then read the
 * result. If no claim waits, the replica reads the result immediately.
 */
final class FleetAnnouncements {

	private final FleetConnections connections;

	private final FleetScripts scripts;

	private final FleetState state;

	private final ComfyCloudClient client;

	private final Consumer<Throwable> onFailure;

	private final AtomicInteger waitingClaims = new AtomicInteger();

	private volatile CompletableFuture<Void> next = new CompletableFuture<>();

	/** Id of the last result that this replica published or received. */
	private volatile @Nullable String known;

	private volatile Consumer<Shared> receiver = shared -> {
	};

	/**
	 * Creates the announcements.
	 * @param onFailure receives the failures of Redis
	 */
	FleetAnnouncements(FleetConnections connections, FleetScripts scripts, FleetState state, ComfyCloudClient client,
			Consumer<Throwable> onFailure) {
		this.connections = connections;
		this.scripts = scripts;
		this.state = state;
		this.client = client;
		this.onFailure = onFailure;
	}

	void setReceiver(Consumer<Shared> receiver) {
		this.receiver = receiver;
		known = null;
	}

	void setKnown(@Nullable String id) {
		known = id;
	}

	void subscribe(Account account) {
		connections.subscribe(FleetScripts.key(account)).whenComplete((done, failure) -> reportFailure(failure));
	}

	void reportFailure(@Nullable Throwable failure) {
		if (failure != null) {
			onFailure.accept(failure);
		}
	}

	/** Returns a future that completes at the next announcement. */
	CompletableFuture<Void> next() {
		return next;
	}

	void addWaitingClaim() {
		waitingClaims.incrementAndGet();
	}

	void removeWaitingClaim() {
		waitingClaims.decrementAndGet();
	}

	/** Wakes the waiting claims, or reads the result if no claim waits. */
	void onAnnouncement(String id) {
		if (id.equals(FleetScripts.PROBE)) {
			return;
		}
		boolean read = waitingClaims.get() == 0 && !id.equals(known) && state.isUp();
		CompletableFuture<Void> announced = next;
		next = new CompletableFuture<>();
		announced.complete(null);
		if (read) {
			scripts.read(client.account()).whenComplete((reply, failure) -> {
				if (failure != null) {
					onFailure.accept(failure);
				}
				else {
					deliver(reply);
				}
			});
		}
	}

	/** Delivers the result of a reply, unless it is known. */
	void deliver(FleetReply reply) {
		if (reply.shared() != null && reply.id() != null && !reply.id().equals(known)) {
			known = reply.id();
			deliver(reply.shared());
		}
	}

	void deliver(Shared shared) {
		receiver.accept(shared);
	}

}
