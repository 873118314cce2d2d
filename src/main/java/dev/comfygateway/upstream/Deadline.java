package dev.comfygateway.upstream;

import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.contextpropagation.ObservationThreadLocalAccessor;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.stereotype.Component;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * Deadline of a fetch, including its retry ({@code comfy.deadline}). It is enforced
 * outside of the reactive chain: after an unexpected error, a chain may neither complete
 * nor react to its cancellation.
 */
@Component
class Deadline {

	private static final Logger log = LoggerFactory.getLogger(Deadline.class);

	/** Context key of Reactor's handler for dropped errors. */
	private static final String DROPPED_ERRORS = "reactor.onErrorDropped.local";

	private final Duration limit;

	private final Scheduler scheduler;

	private final ObservationRegistry observations;

	/**
	 * Creates the deadline.
	 * @param scheduler scheduler of the deadline and of pauses; Reactor's parallel
	 * scheduler, except in tests. Requests always run on the parallel scheduler
	 */
	Deadline(ComfyProperties properties, @Qualifier("scheduler") Scheduler scheduler,
			ObservationRegistry observations) {
		this.limit = properties.deadline();
		this.scheduler = scheduler;
		this.observations = observations;
	}

	Duration limit() {
		return limit;
	}

	/** Returns a {@code Mono} that completes after a pause. */
	Mono<Void> pause(Duration duration) {
		return Mono.delay(duration, scheduler).then();
	}

	/**
	 * Subscribes to a chain on a separate thread, and cancels it at the deadline.
	 * @param chain the requests
	 * @param timeout supplies the result at the deadline
	 * @param close closes the connection of the chain
	 * @return future that completes within the deadline, exceptionally only after an
	 * unexpected exception
	 */
	CompletableFuture<UpstreamOutcome> run(Mono<UpstreamOutcome> chain, Supplier<UpstreamOutcome> timeout,
			Runnable close) {
		Observation parent = observations.getCurrentObservation();
		CompletableFuture<UpstreamOutcome> result = new CompletableFuture<>();
		Disposable.Swap subscription = Disposables.swap();
		Disposable timer = scheduler.schedule(() -> {
			// Completed first, since the clean-up may never return
			if (result.complete(timeout.get())) {
				logFailures(subscription::dispose);
				logFailures(close);
			}
		}, limit.toNanos(), TimeUnit.NANOSECONDS);
		CompletableFuture<UpstreamOutcome> done = result.whenComplete((outcome, unexpected) -> timer.dispose());
		subscription.update(chain.subscribeOn(Schedulers.parallel())
			// A request can still fail after the deadline, when there is no subscriber
			.contextWrite(context -> context.put(DROPPED_ERRORS, (Consumer<Throwable>) Deadline::log))
			.contextWrite(context -> parent == null ? context : context.put(ObservationThreadLocalAccessor.KEY, parent))
			.subscribe(result::complete, result::completeExceptionally));
		return done;
	}

	private static void logFailures(Runnable cleanUp) {
		try {
			cleanUp.run();
		}
		catch (RuntimeException | Error unexpected) {
			log(unexpected);
		}
	}

	private static void log(Throwable dropped) {
		log.debug("Ignoring an error after the deadline: {}", dropped.getClass().getName());
	}

}
