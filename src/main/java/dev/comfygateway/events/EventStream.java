package dev.comfygateway.events;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.comfygateway.cache.ListenerRefresh;
import dev.comfygateway.cache.PromptCache;
import dev.comfygateway.cache.UpstreamStatus;
import dev.comfygateway.log.UnexpectedExceptionLog;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.Closeable;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.util.Callback;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.context.ApplicationContext;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.stereotype.Component;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.scheduler.Scheduler;

/**
 * Stream of events to all listeners. Its tasks run on one thread, never block, and exist
 * only while there are listeners.
 *
 * <ol>
 * <li>A new listener receives the current state, or the first result if there is no
 * state.</li>
 * <li>The cache reports each result, and the stream sends it to every listener as an
 * event.</li>
 * <li>A refresh is scheduled for the end of the answer's freshness. An answer that is
 * served because of a failure can expire earlier, which also causes an event.</li>
 * <li>A heartbeat each second drops listeners that do not read. Every fifth heartbeat
 * starts a comment, and the next one ends it. If a listener has left, the first write
 * makes its connection fail, and the second write detects the failure.</li>
 * </ol>
 */
@Component
class EventStream {

	private static final Duration HEARTBEAT = Duration.ofSeconds(1);

	/** Number of heartbeats from one comment to the next. */
	private static final int COMMENT_INTERVAL = 5;

	private static final Duration MAX_STALL = Duration.ofSeconds(10);

	private final PromptCache cache;

	private final ListenerRefresh refresh;

	private final Ticker ticker;

	private final Scheduler scheduler;

	private final ApplicationContext application;

	private final Counter sent;

	private final Counter dropped;

	private final UnexpectedExceptionLog exceptions = new UnexpectedExceptionLog(
			LoggerFactory.getLogger(EventStream.class), "A task of the stream");

	private final Set<Listener> listeners = ConcurrentHashMap.newKeySet();

	private final Disposable.Swap nextChange = Disposables.swap();

	private boolean hasHeartbeat;

	private int heartbeats;

	private volatile boolean closed;

	EventStream(PromptCache cache, ListenerRefresh refresh, Ticker ticker,
			@Qualifier("eventScheduler") Scheduler scheduler, ApplicationContext application, MeterRegistry meters) {
		this.cache = cache;
		this.refresh = refresh;
		this.ticker = ticker;
		this.scheduler = scheduler;
		this.application = application;
		this.sent = Counter.builder("comfy.gateway.events").description("Events sent to listeners").register(meters);
		this.dropped = Counter.builder("comfy.gateway.listeners.dropped")
			.description("Listeners dropped because they did not read")
			.register(meters);
		cache.onResult(this::onResult);
	}

	boolean isClosed() {
		return closed;
	}

	/**
	 * Adds a listener.
	 * @param callback completed at the end of the stream
	 * @param abort closed if the listener does not read
	 * @param until queue length at or below which the stream ends; empty if it has no end
	 */
	Listener add(Content.Sink response, Callback callback, Closeable abort, OptionalLong until) {
		Listener listener = new Listener(response, callback, abort, until, ticker, sent::increment, listeners::remove);
		run(() -> begin(listener));
		return listener;
	}

	private void begin(Listener listener) {
		if (closed) {
			listener.end();
			return;
		}
		listeners.add(listener);
		if (listener.hasEnded()) {
			listeners.remove(listener);
			return;
		}
		Optional<Event> current = Event.current(cache.status());
		refresh.startIfDue(current.isEmpty());
		scheduleChange();
		startHeartbeat();
		listener.sendUnlessBusy(Event.retry());
		current.ifPresentOrElse(listener::send,
				() -> listener.disposeAtEnd(schedule(() -> sendTimedOut(listener), cache.maxWait())));
	}

	private void onResult(UpstreamStatus status) {
		if (!closed && !listeners.isEmpty()) {
			run(() -> {
				scheduleChange();
				Event.of(status).ifPresent(this::sendToAll);
			});
		}
	}

	private void sendToAll(Event event) {
		listeners.forEach(listener -> listener.send(event));
	}

	/**
	 * Sends an event to a listener that received none within the maximum wait of a
	 * caller.
	 */
	private void sendTimedOut(Listener listener) {
		listener.sendFirst(Event.timedOut());
	}

	/**
	 * Schedules the next change. A refresh that is already due is in flight. Its result,
	 * or else a heartbeat, then schedules the next change.
	 */
	private void scheduleChange() {
		long delay = refresh.nanosUntilChange();
		if (delay > 0 && !listeners.isEmpty() && !closed) {
			nextChange.update(schedule(this::onChange, Duration.ofNanos(delay)));
		}
	}

	/**
	 * Starts a refresh if one is due, and sends an event if an old answer has expired.
	 */
	private void onChange() {
		if (listeners.isEmpty() || closed) {
			return;
		}
		refresh.startIfDue(false);
		Event.of(cache.status()).filter(event -> event.type() == Event.Type.UNKNOWN).ifPresent(this::sendToAll);
		scheduleChange();
	}

	private void startHeartbeat() {
		if (!hasHeartbeat) {
			hasHeartbeat = true;
			heartbeats = 0;
			schedule(this::heartbeat, HEARTBEAT);
		}
	}

	/**
	 * Checks the listeners, and starts a refresh if one is due. A new key, for example,
	 * changes the state without a result.
	 */
	private void heartbeat() {
		if (listeners.isEmpty() || closed) {
			hasHeartbeat = false;
			return;
		}
		schedule(this::heartbeat, HEARTBEAT);
		heartbeats++;
		listeners.forEach(this::check);
		if (refresh.nanosUntilChange() <= 0) {
			onChange();
		}
	}

	private void check(Listener listener) {
		if (listener.stalledFor(ticker.read()) >= MAX_STALL.toNanos()) {
			dropped.increment();
			listener.abort();
		}
		else if (heartbeats % COMMENT_INTERVAL == 0) {
			listener.sendUnlessBusy(Event.COMMENT);
		}
		else if (heartbeats > COMMENT_INTERVAL && heartbeats % COMMENT_INTERVAL == 1) {
			listener.sendUnlessBusy(Event.END_OF_COMMENT);
		}
	}

	/**
	 * Ends all streams before the server waits for requests in progress. Events of other
	 * contexts, such as that of the management port, are ignored.
	 */
	@EventListener
	void close(ContextClosedEvent event) {
		if (event.getApplicationContext() == application) {
			closed = true;
			run(() -> listeners.forEach(Listener::end));
		}
	}

	private void run(Runnable task) {
		schedule(task, Duration.ZERO);
	}

	private Disposable schedule(Runnable task, Duration delay) {
		return scheduler.schedule(() -> logFailures(task), delay.toNanos(), TimeUnit.NANOSECONDS);
	}

	private void logFailures(Runnable task) {
		try {
			task.run();
		}
		catch (RuntimeException | Error unexpected) {
			exceptions.log(unexpected);
		}
	}

}
