package dev.comfygateway.server;

import dev.comfygateway.log.RejectionLog;
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
 * Limit of the heap that connections and requests use. Their use is estimated, and
 * charged on the thread that reads: a flood would fill the heap faster than a periodic
 * check detects it.
 *
 * <ol>
 * <li>A connection is charged when it is accepted, for its buffers and for an incomplete
 * head. A request that outlasts its handler is charged until it ends, and any request
 * while it has a thread.</li>
 * <li>Above the limit, all estimates are added up again. A closed connection counts until
 * its selector deregisters it, since it retains its heap until then.</li>
 * <li>{@link ConnectionShedder} closes connections without a request in progress.</li>
 * <li>While the limit is exceeded, a connection whose next bytes cost 2 KiB more than its
 * largest head so far is closed before they are parsed. Requests that need a thread or
 * would be parked are rejected. Probes and answers from memory are served.</li>
 * </ol>
 */
@Component
public final class HeapBudget {

	private static final Logger log = LoggerFactory.getLogger(HeapBudget.class);

	private static final long MIB = 1024 * 1024;

	/**
	 * Connections may use 7/16 of the heap. The gateway itself uses 30 MiB, and a flood
	 * can exceed the limit briefly.
	 */
	private static final double MAX_HEAP_FRACTION = 7.0 / 16;

	/** Bytes of heap of a request on a thread, in addition to its connection. */
	private static final int REQUEST_ON_THREAD = 28 * 1024;

	private static final long MIN_PAUSE = TimeUnit.MILLISECONDS.toNanos(10);

	/** Counting uses no more than a tenth of a thread's time. */
	private static final int PAUSE_FACTOR = 9;

	/** Parked requests, listeners and waiting callers, may use 3/4 of the limit. */
	private static final double MAX_PARKED_FRACTION = 3.0 / 4;

	private final long max;

	private final ConnectionShedder shedder;

	private final RejectionLog rejections;

	private final Set<HeapEstimate> estimates = ConcurrentHashMap.newKeySet();

	private final AtomicLong heapBytes = new AtomicLong();

	private final AtomicLong onThreads = new AtomicLong();

	private final AtomicLong parked = new AtomicLong();

	private final AtomicBoolean recounting = new AtomicBoolean();

	private volatile long nextCount = System.nanoTime();

	/** Whether the last count was above the limit. */
	private volatile boolean full;

	@Autowired
	HeapBudget(JettyServerProperties jetty, MeterRegistry registry) {
		this((long) (Runtime.getRuntime().maxMemory() * MAX_HEAP_FRACTION),
				new ConnectionShedder(jetty.getMaxConnections(), registry));
	}

	/**
	 * Creates a budget.
	 * @param max bytes that connections and requests may use
	 */
	HeapBudget(long max, ConnectionShedder shedder) {
		this.max = max;
		this.shedder = shedder;
		this.rejections = new RejectionLog(log, "503",
				"limit of " + max / MIB + " MiB of heap for connections and requests reached");
	}

	/** Adds a connector, whose connections the shedder may close. */
	void add(Connector connector) {
		shedder.add(connector);
	}

	void accepted(Connector connector, MeteredEndPoint endPoint) {
		estimates.add(endPoint.estimate());
		charge(endPoint.estimate().heapBytes());
		if (shedder.isCrowded(connector)) {
			makeRoom();
		}
	}

	/** Charges bytes, or releases them if the number is negative. */
	void charge(int bytes) {
		if (heapBytes.addAndGet(bytes) > max && bytes > 0) {
			makeRoom();
		}
	}

	/**
	 * Closes connections if the limit is exceeded. While another thread counts, the
	 * result of the previous count applies, since the current sum still includes closed
	 * connections.
	 * @return whether there is room
	 */
	boolean tryMakeRoom() {
		if (heapBytes.get() <= max) {
			return true;
		}
		makeRoom();
		return heapBytes.get() <= max || (!full && recounting.get());
	}

	/**
	 * Charges a request to the share of parked requests.
	 * @return action that releases the charge, to be run before the request is completed;
	 * empty if there is no room
	 */
	public Optional<Runnable> park(Request request) {
		MeteredEndPoint endPoint = MeteredEndPoint.of(request.getConnectionMetaData().getConnection().getEndPoint());
		if (endPoint == null) {
			return Optional.of(() -> {
			});
		}
		endPoint.setParked(true);
		int bytes = endPoint.share();
		if (parked.addAndGet(bytes) > (long) (max * MAX_PARKED_FRACTION) || !tryMakeRoom()) {
			unpark(endPoint, bytes);
			return Optional.empty();
		}
		return Optional.of(() -> unpark(endPoint, bytes));
	}

	private void unpark(MeteredEndPoint endPoint, int bytes) {
		parked.addAndGet(-bytes);
		endPoint.setParked(false);
	}

	/** Records that a request is rejected. */
	public void countRejection() {
		rejections.countRejection();
	}

	/** Records that a connection is closed for lack of heap. */
	void countShed() {
		shedder.count();
	}

	/** Charges a request that is now on a thread. */
	void enterThread() {
		onThreads.addAndGet(REQUEST_ON_THREAD);
		charge(REQUEST_ON_THREAD);
	}

	void leaveThread() {
		onThreads.addAndGet(-REQUEST_ON_THREAD);
		charge(-REQUEST_ON_THREAD);
	}

	@Scheduled(fixedDelayString = "10s")
	void logEndOfRejections() {
		rejections.logEnd();
	}

	/**
	 * Tries again to make room. An earlier attempt may have found no connection to close.
	 * While accepting is suspended, no new connection triggers another attempt.
	 */
	@Scheduled(fixedDelayString = "1s")
	void relieve() {
		estimates.removeIf(HeapEstimate::isReleased);
		if (shedder.isCrowded() || heapBytes.get() > max) {
			makeRoom();
		}
	}

	private void makeRoom() {
		long start = System.nanoTime();
		if (start - nextCount < 0 || !recounting.compareAndSet(false, true)) {
			return;
		}
		try {
			long current = count();
			heapBytes.set(current);
			full = current > max;
			shedder.makeRoom(current, onThreads.get(), max);
		}
		finally {
			long end = System.nanoTime();
			nextCount = end + Math.max(MIN_PAUSE, (end - start) * PAUSE_FACTOR);
			recounting.set(false);
		}
	}

	private long count() {
		estimates.removeIf(HeapEstimate::isReleased);
		return onThreads.get() + estimates.stream().mapToLong(HeapEstimate::heapBytes).sum();
	}

}
