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
 * Bulkhead for requests of one kind: so many are served at a time, each on a thread, and
 * the others queue. Each connection may queue one request, since the connections are
 * bounded. Further requests of the same connections share a bounded number of places.
 * Connections that have sent fewer requests come first, so that those who pipeline or
 * have many streams are last; among equals the newest comes first, since callers in a
 * long queue give up before their turn.
 */
final class Bulkhead {

	private static final long KEEP_ALIVE_SECONDS = 1;

	/** Length of the queue at which a connection's second request is rejected. */
	private static final int MAX_QUEUED = 1024;

	private static final Comparator<Runnable> ORDER = Comparator.comparing(HandedOver.class::cast,
			Comparator.comparingLong(HandedOver::place)
				.thenComparing(Comparator.comparingLong(HandedOver::number).reversed()));

	private final ThreadPoolExecutor executor;

	private final AtomicLong numbers = new AtomicLong();

	private Bulkhead(int max, ThreadFactory threads) {
		this.executor = new ThreadPoolExecutor(max, max, KEEP_ALIVE_SECONDS, TimeUnit.SECONDS,
				new PriorityBlockingQueue<>(max, ORDER), threads);
		this.executor.allowCoreThreadTimeOut(true);
	}

	/** For requests that wait, many at a time: virtual threads. */
	static Bulkhead ofWaiting(String name, int max) {
		return new Bulkhead(max, Thread.ofVirtual().name(name + "-", 1).factory());
	}

	/**
	 * For requests that never wait: platform threads. Virtual threads with a full queue
	 * would occupy their carriers, and all other virtual threads would starve.
	 */
	static Bulkhead ofQuick(String name, int max) {
		return new Bulkhead(max, Thread.ofPlatform().daemon().name(name + "-", 1).factory());
	}

	/**
	 * Runs the task when it is its turn.
	 * @return whether the queue has room for it
	 */
	boolean execute(Request request, Runnable task) {
		Connection connection = request.getConnectionMetaData().getConnection();
		long place = connection.getMessagesIn();
		if (place - connection.getMessagesOut() > 1 && executor.getQueue().size() >= MAX_QUEUED) {
			return false;
		}
		executor.execute(new HandedOver(place, numbers.getAndIncrement(), task));
		return true;
	}

	void shutdown() {
		executor.shutdown();
	}

	/**
	 * Task in the queue.
	 *
	 * @param place place of the request among those of its connection
	 */
	private record HandedOver(long place, long number, Runnable task) implements Runnable {

		@Override
		public void run() {
			task.run();
		}

	}

}
