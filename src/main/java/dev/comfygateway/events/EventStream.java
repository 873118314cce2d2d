package dev.comfygateway.events;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.comfygateway.GatewayProperties;
import dev.comfygateway.cache.PromptCache;
import dev.comfygateway.error.BugLog;
import dev.comfygateway.error.ErrorAnswer;
import dev.comfygateway.error.RefusalLog;
import dev.comfygateway.server.ConnectionShare;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.Closeable;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.util.Callback;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.ApplicationContext;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.scheduler.Scheduler;

/**
 * All listeners, and what they are told. Everything happens on one thread, which never
 * blocks, and only while somebody listens.
 *
 * <ol>
 * <li>A newcomer is told the present state. Where there is none, it is told the first
 * result, whichever that is.</li>
 * <li>The cache hands each result of the upstream to the stream, which tells it to every
 * listener as an event.</li>
 * <li>A refresh is scheduled for the moment at which the present answer stops being
 * fresh. At the same moment or earlier, an answer that stands in for a failure may end,
 * which is an event too.</li>
 * <li>Each second a pulse looks for listeners that do not read. At each fifth one it
 * sends a comment, in two writes: the first makes the connection of a listener that has
 * left fail, the second one finds that out.</li>
 * </ol>
 */
@Component
class EventStream {

	private static final Logger log = LoggerFactory.getLogger(EventStream.class);

	static final Duration PULSE = Duration.ofSeconds(1);

	/** Pulses from one comment to the next. */
	private static final int COMMENT_PULSES = 5;

	static final Duration MAX_STALL = Duration.ofSeconds(10);

	private static final int MIN_RETRY_MILLIS = 2000;

	private static final int MAX_RETRY_MILLIS = 4000;

	private static final byte[] COMMENT = ":\n".getBytes(StandardCharsets.US_ASCII);

	private static final byte[] END_OF_COMMENT = "\n".getBytes(StandardCharsets.US_ASCII);

	private final PromptCache cache;

	private final Ticker ticker;

	private final Scheduler scheduler;

	private final ApplicationContext application;

	private final int maxListeners;

	private final Counter sent;

	private final Counter dropped;

	private final Counter refused;

	private final RefusalLog refusals;

	private final AtomicInteger places = new AtomicInteger();

	private final BugLog bugs = new BugLog(log, "A task of the stream");

	private final Set<Listener> listeners = ConcurrentHashMap.newKeySet();

	private final Disposable.Swap change = Disposables.swap();

	private boolean hasPulse;

	private int pulses;

	private volatile boolean closed;

	EventStream(PromptCache cache, Ticker ticker, Scheduler eventScheduler, GatewayProperties properties,
			ConnectionShare connections, ApplicationContext application, MeterRegistry meters) {
		this.cache = cache;
		this.ticker = ticker;
		this.scheduler = eventScheduler;
		this.application = application;
		this.maxListeners = connections.bound("gateway.events.max-listeners", properties.events().maxListeners());
		this.sent = Counter.builder("comfy.gateway.events").description("Events sent to listeners").register(meters);
		this.dropped = Counter.builder("comfy.gateway.listeners.dropped")
			.description("Listeners that did not read")
			.register(meters);
		this.refused = Counter.builder("comfy.gateway.listeners.refused")
			.description("Callers beyond the bound of listeners")
			.register(meters);
		this.refusals = new RefusalLog(log, ErrorAnswer.tooManyListeners().code(),
				maxListeners + " listening, limit gateway.events.max-listeners reached");
		Gauge.builder("comfy.gateway.listeners", places, AtomicInteger::get)
			.description("Listeners of /api/prompt/events")
			.register(meters);
		cache.addListener(this::onResult);
	}

	boolean isClosed() {
		return closed;
	}

	/**
	 * Adds a listener.
	 * @param connection closed where the listener does not read
	 * @param until number at or below which the stream ends; absent for none
	 * @return whether there was a place for it
	 */
	boolean add(Content.Sink response, Callback callback, Closeable connection, OptionalLong until) {
		if (places.incrementAndGet() > maxListeners) {
			places.decrementAndGet();
			refused.increment();
			refusals.refused();
			return false;
		}
		Listener listener = new Listener(response, callback, connection, until, ticker, this::remove);
		run(() -> begin(listener));
		return true;
	}

	/** Counts a caller whom the heap has no room for. */
	void refuse() {
		refused.increment();
	}

	private void begin(Listener listener) {
		if (closed) {
			listener.end();
			return;
		}
		listeners.add(listener);
		Optional<Event> present = present(cache.status());
		cache.refresh(present.isEmpty());
		scheduleChange();
		startPulse();
		int retry = ThreadLocalRandom.current().nextInt(MIN_RETRY_MILLIS, MAX_RETRY_MILLIS + 1);
		listener.comment(("retry: " + retry + "\n\n").getBytes(StandardCharsets.US_ASCII));
		present.ifPresentOrElse(event -> tell(listener, event),
				() -> listener.disposeAtEnd(schedule(() -> tellFirst(listener), cache.maxWait())));
	}

	/** A failure whose cool-down has ended is no state: a fetch is due. */
	private static Optional<Event> present(PromptCache.Status status) {
		boolean isOver = status.failure().isPresent() && status.observed().isEmpty() && status.cooldownNanos() == 0;
		return isOver ? Optional.empty() : Event.of(status);
	}

	@Scheduled(fixedDelayString = "10s")
	void review() {
		refusals.review();
	}

	private void remove(Listener listener) {
		listeners.remove(listener);
		places.decrementAndGet();
	}

	private void onResult(PromptCache.Status status) {
		if (!closed && !listeners.isEmpty()) {
			run(() -> {
				scheduleChange();
				Event.of(status).ifPresent(this::tell);
			});
		}
	}

	private void tell(Event event) {
		listeners.forEach(listener -> tell(listener, event));
	}

	private void tell(Listener listener, Event event) {
		if (listener.tell(event)) {
			sent.increment();
		}
	}

	/** No listener waits longer for its first event than a caller for an answer. */
	private void tellFirst(Listener listener) {
		if (listener.tellFirst(Event.timedOut())) {
			sent.increment();
		}
	}

	/** Starts a refresh if one is due, and tells that an old answer has ended. */
	private void refresh() {
		if (listeners.isEmpty() || closed) {
			return;
		}
		cache.refresh(false);
		Event.of(cache.status()).filter(event -> event.kind() == Event.Kind.UNKNOWN).ifPresent(this::tell);
		scheduleChange();
	}

	/**
	 * Where a refresh is due now, it is under way: its result schedules the next one, or
	 * else the pulse.
	 */
	private void scheduleChange() {
		long delay = cache.nanosUntilChange();
		if (delay > 0 && !listeners.isEmpty() && !closed) {
			change.update(schedule(this::refresh, Duration.ofNanos(delay)));
		}
	}

	private void startPulse() {
		if (!hasPulse) {
			hasPulse = true;
			pulses = 0;
			schedule(this::pulse, PULSE);
		}
	}

	/**
	 * Sends comments, drops listeners that do not read, and finds out about a changed
	 * key, which is no result.
	 */
	private void pulse() {
		if (listeners.isEmpty() || closed) {
			hasPulse = false;
			return;
		}
		schedule(this::pulse, PULSE);
		pulses++;
		listeners.forEach(this::pulse);
		if (cache.nanosUntilChange() <= 0) {
			refresh();
		}
	}

	private void pulse(Listener listener) {
		if (listener.stalledFor(ticker.read()) >= MAX_STALL.toNanos()) {
			dropped.increment();
			listener.drop();
		}
		else if (pulses % COMMENT_PULSES == 0) {
			listener.comment(COMMENT);
		}
		else if (pulses > COMMENT_PULSES && pulses % COMMENT_PULSES == 1) {
			listener.comment(END_OF_COMMENT);
		}
	}

	/**
	 * Ends all streams, before the server waits for its requests. A context of its own,
	 * such as the fleet's, may end earlier.
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
		catch (RuntimeException | Error bug) {
			bugs.log(bug);
		}
	}

}
