package dev.comfygateway.server;

import dev.comfygateway.log.RefusalLog;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.Request;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.jetty.autoconfigure.JettyServerProperties;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/**
 * Limit of the heap that all connections hold. It is an estimate, charged on the thread
 * that reads: a flood fills the heap faster than any check at intervals.
 *
 * <ol>
 * <li>A connection is charged when it is accepted, when a head is incomplete and when one
 * is complete; a request on a thread is charged too.</li>
 * <li>Above the limit all are counted anew. A closed connection is not given back at
 * once, since it holds its heap until its selector lets go of it.</li>
 * <li>{@link ConnectionShedder} closes connections without a request.</li>
 * <li>Until there is room, a connection whose next bytes cost more than a small head is
 * closed before they are parsed. A request that needs a thread, or stays, is refused.
 * Probes and answers from memory are served.</li>
 * </ol>
 */
@Component
public final class HeapBudget {

	private static final Logger log = LoggerFactory.getLogger(HeapBudget.class);

	private static final long MIB = 1024 * 1024;

	/**
	 * Connections may hold 3/8 of the heap. The gateway itself takes 35 MiB, and a flood
	 * exceeds the limit for a moment.
	 */
	private static final int HEAP_PARTS = 8;

	private static final int CONNECTIONS = 3;

	/** Bytes of heap of a request on a thread, beside its connection. */
	private static final int REQUEST_ON_THREAD = 28 * 1024;

	private static final long MIN_PAUSE = TimeUnit.MILLISECONDS.toNanos(10);

	/** Counting takes at most a tenth of a thread's time. */
	private static final int PAUSE_FACTOR = 9;

	/** Share of that limit for requests that stay, such as listeners: 3/4. */
	private static final int PARKED_PARTS = 4;

	private static final int PARKED = 3;

	private final long max;

	private final ConnectionShedder shedder;

	private final RefusalLog refusals;

	private final Set<HeapEstimate> estimates = ConcurrentHashMap.newKeySet();

	private final AtomicLong held = new AtomicLong();

	private final AtomicLong onThreads = new AtomicLong();

	private final AtomicLong parked = new AtomicLong();

	private final AtomicBoolean counting = new AtomicBoolean();

	private volatile long nextCount = System.nanoTime();

	/** Whether the last count was above the limit. */
	private volatile boolean full;

	@Autowired
	HeapBudget(JettyServerProperties jetty, MeterRegistry registry) {
		this(Runtime.getRuntime().maxMemory() / HEAP_PARTS * CONNECTIONS,
				new ConnectionShedder(jetty.getMaxConnections(), registry));
	}

	/**
	 * Creates a budget.
	 * @param max bytes that connections and requests may hold
	 */
	HeapBudget(long max, ConnectionShedder shedder) {
		this.max = max;
		this.shedder = shedder;
		this.refusals = new RefusalLog(log, "503",
				"limit of " + max / MIB + " MiB of heap for connections and requests reached");
	}

	/** Counts the connections of a server's port from now on. */
	void add(Connector connector) {
		shedder.add(connector);
	}

	void accepted(Connector connector, MeteredEndPoint endPoint) {
		estimates.add(endPoint.estimate());
		charge(endPoint.estimate().held());
		if (shedder.isCrowded(connector)) {
			makeRoom();
		}
	}

	/** Charges bytes; releases them if negative. */
	void charge(int bytes) {
		if (held.addAndGet(bytes) > max && bytes > 0) {
			makeRoom();
		}
	}

	/**
	 * Makes room if there is none. While another thread counts, the result of the last
	 * count applies, because the sum still has closed connections.
	 * @return whether there is room
	 */
	boolean tryMakeRoom() {
		if (held.get() <= max) {
			return true;
		}
		makeRoom();
		return held.get() <= max || (!full && counting.get());
	}

	/**
	 * Charges a request that stays to the share of those.
	 * @return releases the charge; absent if there is no room, which is logged
	 */
	public Optional<Runnable> park(Request request) {
		MeteredEndPoint endPoint = MeteredEndPoint.of(request.getConnectionMetaData().getConnection().getEndPoint());
		int bytes = endPoint == null ? 0 : endPoint.share();
		if (parked.addAndGet(bytes) > max / PARKED_PARTS * PARKED || !tryMakeRoom()) {
			parked.addAndGet(-bytes);
			refused();
			return Optional.empty();
		}
		return Optional.of(() -> parked.addAndGet(-bytes));
	}

	/** Notes that a caller is refused. */
	void refused() {
		refusals.refused();
	}

	/** Notes that a connection is closed since there is no room. */
	void closed() {
		shedder.count();
	}

	/** Charges a request that has a thread. */
	void enterThread() {
		onThreads.addAndGet(REQUEST_ON_THREAD);
		charge(REQUEST_ON_THREAD);
	}

	void leaveThread() {
		onThreads.addAndGet(-REQUEST_ON_THREAD);
		charge(-REQUEST_ON_THREAD);
	}

	@Scheduled(fixedDelayString = "10s")
	void review() {
		refusals.review();
	}

	/**
	 * Tries again to make room: an earlier attempt may have found nothing to close, and
	 * while accepting is suspended no connection causes another.
	 */
	@Scheduled(fixedDelayString = "1s")
	void relieve() {
		estimates.removeIf(HeapEstimate::isReleased);
		if (shedder.isCrowded() || held.get() > max) {
			makeRoom();
		}
	}

	private void makeRoom() {
		long start = System.nanoTime();
		if (start - nextCount < 0 || !counting.compareAndSet(false, true)) {
			return;
		}
		try {
			long present = count();
			held.set(present);
			full = present > max;
			shedder.makeRoom(present, onThreads.get(), max);
		}
		finally {
			long end = System.nanoTime();
			nextCount = end + Math.max(MIN_PAUSE, (end - start) * PAUSE_FACTOR);
			counting.set(false);
		}
	}

	private long count() {
		estimates.removeIf(HeapEstimate::isReleased);
		return onThreads.get() + estimates.stream().mapToLong(HeapEstimate::held).sum();
	}

}
