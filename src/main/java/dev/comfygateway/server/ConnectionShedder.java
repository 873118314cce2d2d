package dev.comfygateway.server;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.io.EofException;
import org.eclipse.jetty.server.Connector;

/**
 * Load shedder that closes connections without a request in progress. The order:
 * connections without a complete request, new connections that have sent nothing, idle
 * connections. Within each of these, connections with large heads are first, the largest
 * of them first. The others follow, longest idle first, so that a caller that polls keeps
 * its connection.
 */
final class ConnectionShedder {

	/** A quarter of the heap limit is free after shedding. */
	private static final double ROOM_FRACTION = 1.0 / 4;

	/** A tenth of the connections is reserved for new ones. */
	private static final double RESERVED_FRACTION = 1.0 / 10;

	/**
	 * Time in which a new connection is spared, so that its caller can send a request.
	 */
	private static final long NEW_MILLIS = 1_000;

	/** Order in which connections are closed. */
	private static final Comparator<Candidate> ORDER = Comparator.comparing(Candidate::complete)
		.thenComparing(Candidate::isNew)
		.thenComparing(Candidate::largeHeadBytes, Comparator.reverseOrder())
		.thenComparing(Candidate::idleMillis, Comparator.reverseOrder());

	private final List<Connector> connectors = new CopyOnWriteArrayList<>();

	private final int crowdedAbove;

	private final Counter shed;

	/**
	 * Creates a shedder.
	 * @param maxConnections maximum number of connections of a port; zero or less means
	 * no limit
	 */
	ConnectionShedder(int maxConnections, MeterRegistry meters) {
		this.crowdedAbove = maxConnections <= 0 ? Integer.MAX_VALUE
				: Math.max(1, maxConnections - (int) (maxConnections * RESERVED_FRACTION));
		this.shed = Counter.builder("comfy.gateway.connections.shed")
			.description("Connections without a request in progress that were closed to limit heap or connections")
			.register(meters);
	}

	void add(Connector connector) {
		connectors.add(connector);
	}

	/** Returns whether any port has more connections than its limit minus the reserve. */
	boolean isCrowded() {
		return connectors.stream().anyMatch(this::isCrowded);
	}

	/** Returns whether a port has more connections than its limit minus the reserve. */
	boolean isCrowded(Connector connector) {
		return connector.getConnectedEndPoints().size() > crowdedAbove;
	}

	/** Counts a connection that another class closed for lack of heap. */
	void count() {
		shed.increment();
	}

	/**
	 * Closes connections if the heap limit is exceeded or the reserve of connections is
	 * used.
	 * @param heapBytes estimated bytes of connections and requests, including closed
	 * connections
	 * @param onThreads part of these bytes that belongs to requests on threads
	 * @param max limit of the bytes
	 */
	void makeRoom(long heapBytes, long onThreads, long max) {
		List<Candidate> candidates = new ArrayList<>();
		long now = System.currentTimeMillis();
		long open = onThreads;
		int surplus = 0;
		for (Connector connector : connectors) {
			int connections = 0;
			for (EndPoint raw : connector.getConnectedEndPoints()) {
				MeteredEndPoint endPoint = MeteredEndPoint.of(raw);
				if (endPoint != null && endPoint.isOpen()) {
					connections++;
					open += endPoint.estimate().heapBytes();
					if (endPoint.isClosable()) {
						candidates.add(Candidate.of(endPoint, now));
					}
				}
			}
			if (connections > crowdedAbove) {
				surplus += connections - crowdedAbove + (int) (crowdedAbove * RESERVED_FRACTION);
			}
		}
		if (heapBytes > max || surplus > 0) {
			candidates.sort(ORDER);
			close(candidates, heapBytes > max ? open - max : -max, (long) (max * ROOM_FRACTION), surplus);
		}
	}

	/**
	 * Closes connections until the surplus is closed, and the excess and the additional
	 * room are free. Once the surplus is closed, new connections are spared, and the idle
	 * connections after them are closed only until the excess is free.
	 */
	private void close(List<Candidate> candidates, long excess, long room, int surplus) {
		long target = excess + room;
		long bytes = 0;
		int closed = 0;
		for (Candidate candidate : candidates) {
			if (closed >= surplus && candidate.isNew) {
				target = excess;
			}
			else if (closed < surplus || bytes < target) {
				candidate.endPoint.close(new EofException("Closed to free heap or connections"));
				bytes += candidate.heapBytes;
				closed++;
			}
		}
		shed.increment(closed);
	}

	/**
	 * Copy of a connection's state, which changes concurrently with sorting.
	 *
	 * @param complete whether its last head is complete
	 * @param isNew whether its first head may still arrive
	 * @param heapBytes estimated bytes of heap
	 * @param largeHeadBytes bytes of its heads; zero if they are not large
	 * @param idleMillis time since it last sent or received anything
	 */
	private record Candidate(MeteredEndPoint endPoint, boolean complete, boolean isNew, int heapBytes,
			int largeHeadBytes, long idleMillis) {

		static Candidate of(MeteredEndPoint endPoint, long now) {
			return new Candidate(endPoint, !endPoint.isIncomplete(),
					endPoint.isSilent() && now - endPoint.getCreatedTimeStamp() < NEW_MILLIS,
					endPoint.estimate().heapBytes(), endPoint.largeHeadBytes(), endPoint.idleMillis());
		}

	}

}
