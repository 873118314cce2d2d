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
 * Closes connections without a request to make room: those with an incomplete head first,
 * then idle ones, each time the ones that hold most.
 */
final class ConnectionShedder {

	/** A quarter of the limit is free afterwards. */
	private static final int ROOM_PARTS = 4;

	/** A tenth of the connections is left for new ones. */
	private static final int SPARE_PARTS = 10;

	/** A caller who has connected sends a request within this time. */
	private static final long NEW_MILLIS = 1_000;

	/** The first are closed first. */
	private static final Comparator<Candidate> ORDER = Comparator.comparing(Candidate::complete)
		.thenComparing(Candidate::isNew)
		.thenComparing(Candidate::held, Comparator.reverseOrder())
		.thenComparing(Candidate::since);

	private final List<Connector> connectors = new CopyOnWriteArrayList<>();

	private final int maxConnections;

	private final Counter shed;

	/**
	 * Creates a shedder.
	 * @param maxConnections connections of a port; unbounded if it is not positive
	 */
	ConnectionShedder(int maxConnections, MeterRegistry meters) {
		this.maxConnections = maxConnections <= 0 ? Integer.MAX_VALUE
				: Math.max(1, maxConnections - maxConnections / SPARE_PARTS);
		this.shed = Counter.builder("comfy.gateway.connections.shed")
			.description("Connections without a request that were closed to bound heap or number")
			.register(meters);
	}

	void add(Connector connector) {
		connectors.add(connector);
	}

	/** Whether any port has more connections than it may. */
	boolean isCrowded() {
		return connectors.stream().anyMatch(this::isCrowded);
	}

	/** Whether a port has more connections than it may. */
	boolean isCrowded(Connector connector) {
		return connector.getConnectedEndPoints().size() > maxConnections;
	}

	/** Counts a connection that is closed since there is no room. */
	void count() {
		shed.increment();
	}

	/**
	 * Closes connections if they hold more than the bound, or are too many.
	 * @param held bytes that connections and requests hold, closed connections included
	 * @param onThreads bytes of these that requests on threads hold
	 * @param max bound of the bytes
	 */
	void makeRoom(long held, long onThreads, long max) {
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
					open += endPoint.estimate().held();
					if (endPoint.isExpendable()) {
						candidates.add(Candidate.of(endPoint, now));
					}
				}
			}
			if (connections > maxConnections) {
				surplus += connections - maxConnections + maxConnections / SPARE_PARTS;
			}
		}
		if (held > max || surplus > 0) {
			candidates.sort(ORDER);
			close(candidates, held > max ? open - max : -max, max / ROOM_PARTS, surplus);
		}
	}

	/**
	 * Closes connections until the surplus is gone, and the excess and a reserve are
	 * free. New connections are spared for their first head. Idle connections after them
	 * are closed only until the excess is free.
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
				candidate.endPoint.close(new EofException("Closed to make room"));
				bytes += candidate.held;
				closed++;
			}
		}
		shed.increment(closed);
	}

	/**
	 * Connection as it was when it was counted: it changes while others are sorted.
	 *
	 * @param complete whether its last head is complete
	 * @param isNew whether its first head may be on the way
	 * @param held bytes of heap
	 * @param since time of its begin in ms
	 */
	private record Candidate(MeteredEndPoint endPoint, boolean complete, boolean isNew, int held, long since) {

		static Candidate of(MeteredEndPoint endPoint, long now) {
			long since = endPoint.getCreatedTimeStamp();
			return new Candidate(endPoint, !endPoint.isIncomplete(), endPoint.isSilent() && now - since < NEW_MILLIS,
					endPoint.estimate().held(), since);
		}

	}

}
