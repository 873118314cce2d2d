package dev.comfygateway.events;

import com.github.benmanes.caffeine.cache.Ticker;
import dev.comfygateway.GatewayProperties;
import dev.comfygateway.cache.PromptCache;
import dev.comfygateway.cache.Snapshot;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.context.ApplicationContext;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.stereotype.Component;

/**
 * All listeners, and what they are sent. Everything happens on one thread, which never
 * blocks.
 */
@Component
class EventStream implements DisposableBean {

	private static final Logger log = LoggerFactory.getLogger(EventStream.class);

	static final Duration HEARTBEAT = Duration.ofSeconds(15);

	static final Duration MAX_STALL = Duration.ofSeconds(10);

	/** Time after which an answer that has become old is replaced, at most. */
	private static final Duration TICK = Duration.ofMillis(50);

	private static final Duration REVIEW = Duration.ofSeconds(1);

	private static final int MIN_RETRY_MILLIS = 2000;

	private static final int MAX_RETRY_MILLIS = 4000;

	private static final int MAX_REMEMBERED = 1024;

	private static final byte[] COMMENT = ":\n\n".getBytes(StandardCharsets.US_ASCII);

	private static final byte[] NOTHING = {};

	private final PromptCache cache;

	private final Ticker ticker;

	private final ApplicationContext application;

	private final int maxListeners;

	private final Counter sent;

	private final Counter dropped;

	private final AtomicInteger places = new AtomicInteger();

	private final Set<Listener> listeners = ConcurrentHashMap.newKeySet();

	private final ScheduledExecutorService thread = Executors
		.newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().name("events").factory());

	/** Numbers by the ids of their answers, the latest ones. */
	private final Map<Long, Long> remembered = Collections.synchronizedMap(new LinkedHashMap<>() {

		private static final long serialVersionUID = 1L;

		@Override
		protected boolean removeEldestEntry(Map.Entry<Long, Long> eldest) {
			return size() > MAX_REMEMBERED;
		}
	});

	private @Nullable Event latest;

	private @Nullable Snapshot latestSnapshot;

	private long lastReview;

	private long lastHeartbeat;

	private volatile boolean closed;

	EventStream(PromptCache cache, Ticker ticker, GatewayProperties properties, ApplicationContext application,
			MeterRegistry meters) {
		this.cache = cache;
		this.ticker = ticker;
		this.lastReview = ticker.read();
		this.lastHeartbeat = lastReview;
		this.application = application;
		this.maxListeners = properties.events().maxListeners();
		this.sent = Counter.builder("comfy.gateway.events").description("Events sent to listeners").register(meters);
		this.dropped = Counter.builder("comfy.gateway.listeners.dropped")
			.description("Listeners that did not read")
			.register(meters);
		Gauge.builder("comfy.gateway.listeners", places, AtomicInteger::get)
			.description("Listeners of /api/prompt/events")
			.register(meters);
		cache.addListener(this::changed);
		thread.scheduleWithFixedDelay(() -> surviving(this::tick), TICK.toMillis(), TICK.toMillis(),
				TimeUnit.MILLISECONDS);
	}

	boolean isClosed() {
		return closed;
	}

	/** Whether a reconnect comes behind the {@code done} of its stream. */
	boolean wasDone(long until, long lastEventId) {
		Long remaining = remembered.get(lastEventId);
		return remaining != null && remaining <= until;
	}

	/**
	 * Adds a listener.
	 * @return whether there was a place for it
	 */
	boolean add(Request request, Response response, Callback callback, OptionalLong until) {
		if (places.incrementAndGet() > maxListeners) {
			places.decrementAndGet();
			return false;
		}
		Listener listener = new Listener(request, response, callback, until, ticker, this::remove);
		thread.execute(() -> begin(listener));
		return true;
	}

	private void begin(Listener listener) {
		listeners.add(listener);
		StringBuilder first = new StringBuilder("retry: ")
			.append(ThreadLocalRandom.current().nextInt(MIN_RETRY_MILLIS, MAX_RETRY_MILLIS + 1))
			.append("\n\n");
		Optional<Event> now = Event.of(cache.status());
		now.ifPresent(event -> {
			Snapshot snapshot = event.snapshot();
			first.append(new String(
					snapshot != null && listener.reaches(snapshot) ? Event.withoutId(snapshot) : event.encoded(),
					StandardCharsets.UTF_8));
			sent.increment();
		});
		listener.send(first.toString().getBytes(StandardCharsets.UTF_8));
		if (closed) {
			listener.end(NOTHING);
		}
		else {
			cache.refresh();
		}
	}

	private void remove(Listener listener) {
		if (listeners.remove(listener)) {
			places.decrementAndGet();
		}
	}

	private void changed() {
		if (!closed) {
			thread.execute(() -> surviving(this::send));
		}
	}

	/** A bug must not end the timer, and with it all streams. */
	private static void surviving(Runnable task) {
		try {
			task.run();
		}
		catch (RuntimeException bug) {
			log.error("A task of the stream ended in a bug: {}", bug.getClass().getName());
		}
	}

	/** Sends what is new. */
	private void send() {
		Event event = Event.of(cache.status()).orElse(null);
		if (event == null) {
			return;
		}
		Event before = latest;
		boolean isNew = before == null || !before.identity().equals(event.identity());
		Snapshot snapshot = event.snapshot();
		if (!isNew && snapshot == latestSnapshot) {
			return;
		}
		latest = event;
		latestSnapshot = snapshot;
		byte[] done = snapshot == null ? NOTHING : Event.done(snapshot);
		if (snapshot != null && snapshot.promptInfo().remaining() != null) {
			remembered.put(snapshot.observedAt().toEpochMilli(), snapshot.promptInfo().remaining());
		}
		for (Listener listener : listeners) {
			if (snapshot != null && listener.isDoneBy(snapshot)) {
				listener.end(done);
				sent.increment();
			}
			else if (isNew) {
				listener
					.send(snapshot != null && listener.reaches(snapshot) ? Event.withoutId(snapshot) : event.encoded());
				sent.increment();
			}
		}
	}

	/** Does what time asks for. */
	private void tick() {
		if (listeners.isEmpty() || closed) {
			return;
		}
		cache.refresh();
		// An answer can become too old to be served without a new result
		send();
		long now = ticker.read();
		if (now - lastReview >= REVIEW.toNanos()) {
			lastReview = now;
			review(now);
		}
	}

	/** Drops listeners that do not read, and keeps the others' connections alive. */
	private void review(long now) {
		boolean heartbeat = now - lastHeartbeat >= HEARTBEAT.toNanos();
		if (heartbeat) {
			lastHeartbeat = now;
		}
		for (Listener listener : listeners) {
			if (listener.stalledFor(now) >= MAX_STALL.toNanos()) {
				dropped.increment();
				listener.drop();
			}
			else if (heartbeat) {
				listener.comment(COMMENT);
			}
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
			thread.execute(() -> listeners.forEach(listener -> listener.end(NOTHING)));
		}
	}

	@Override
	public void destroy() {
		thread.shutdownNow();
	}

}
