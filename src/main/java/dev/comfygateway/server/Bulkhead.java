package dev.comfygateway.server;

import java.util.Comparator;
import java.util.concurrent.PriorityBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.eclipse.jetty.server.Request;

/**
 * Bulkhead for requests of one kind: so many are served at a time, each on a thread, and
 * the others queue. The queue needs no bound of its own, since a connection has one
 * request in it at most and the connections are bounded. Connections that have had fewer
 * answers come first, so that those who pipeline are last; among equals the newest comes
 * first, since callers in a long queue give up before their turn.
 */
final class Bulkhead {

	private static final long KEEP_ALIVE_SECONDS = 1;

	private static final Comparator<Runnable> ORDER = Comparator.comparing(HandedOver.class::cast,
			Comparator.comparingLong(HandedOver::answered)
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

	/** Runs the task when it is its turn. */
	void execute(Request request, Runnable task) {
		executor.execute(new HandedOver(request.getConnectionMetaData().getConnection().getMessagesOut(),
				numbers.getAndIncrement(), task));
	}

	void shutdown() {
		executor.shutdown();
	}

	private record HandedOver(long answered, long number, Runnable task) implements Runnable {

		@Override
		public void run() {
			task.run();
		}

	}

}
