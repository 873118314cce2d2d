package dev.comfygateway.server;

import java.util.Comparator;
import java.util.concurrent.PriorityBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.server.Request;

/**
 * Bulkhead for the requests of one {@link Lane}. A bounded number of requests run
 * concurrently, each on its own thread, and the others wait in a priority queue.
 * <ul>
 * <li>Each connection may always queue one request, since the number of connections is
 * bounded. Further requests of the same connection are rejected while the queue has
 * {@value #MAX_QUEUED} requests or more.</li>
 * <li>Connections that have sent fewer requests have priority over those that pipeline or
 * open many streams.</li>
 * <li>Among equals the newest request has priority, since callers in a long queue time
 * out before their turn.</li>
 * </ul>
 */
final class Bulkhead {

	private static final long KEEP_ALIVE_SECONDS = 1;

	/**
	 * Length of the queue, with the requests of all connections, at which a connection's
	 * second request is rejected.
	 */
	private static final int MAX_QUEUED = 1024;

	private static final Comparator<Runnable> ORDER = Comparator.comparing(QueuedTask.class::cast,
			Comparator.comparingLong(QueuedTask::position)
				.thenComparing(Comparator.comparingLong(QueuedTask::number).reversed()));

	private final ThreadPoolExecutor executor;

	private final AtomicLong numbers = new AtomicLong();

	private Bulkhead(int max, ThreadFactory threads) {
		this.executor = new ThreadPoolExecutor(max, max, KEEP_ALIVE_SECONDS, TimeUnit.SECONDS,
				new PriorityBlockingQueue<>(max, ORDER), threads);
		this.executor.allowCoreThreadTimeOut(true);
	}

	/**
	 * Creates a bulkhead with virtual threads, for many requests that wait concurrently.
	 */
	static Bulkhead ofWaiting(String name, int max) {
		return new Bulkhead(max, Thread.ofVirtual().name(name + "-", 1).factory());
	}

	/**
	 * Creates a bulkhead with platform threads, for requests that never wait. With a full
	 * queue, virtual threads would occupy all carrier threads, and all other virtual
	 * threads would starve.
	 */
	static Bulkhead ofQuick(String name, int max) {
		return new Bulkhead(max, Thread.ofPlatform().daemon().name(name + "-", 1).factory());
	}

	/**
	 * Queues the task of a request.
	 * @return whether the queue accepted the task
	 */
	boolean execute(Request request, Runnable task) {
		Connection connection = request.getConnectionMetaData().getConnection();
		long position = connection.getMessagesIn();
		if (position - connection.getMessagesOut() > 1 && executor.getQueue().size() >= MAX_QUEUED) {
			return false;
		}
		executor.execute(new QueuedTask(position, numbers.getAndIncrement(), task));
		return true;
	}

	void shutdown() {
		executor.shutdown();
	}

	/**
	 * Task in the queue.
	 *
	 * @param position number of requests that the connection had received, this one
	 * included
	 * @param number sequence number in the bulkhead
	 */
	private record QueuedTask(long position, long number, Runnable task) implements Runnable {

		@Override
		public void run() {
			task.run();
		}

	}

}
