package dev.comfygateway.server;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.eclipse.jetty.server.Request;

/**
 * Bulkhead for requests of one kind: so many are served at a time, each on a virtual
 * thread, and the others queue. The queue needs no bound of its own, since a connection
 * has one request in it at most and the connections are bounded.
 *
 * @param kind requests that it is for
 * @param executor virtual threads: pooled to bound their number, not to save their start
 */
record Bulkhead(Predicate<Request> kind, ThreadPoolExecutor executor) {

	private static final long KEEP_ALIVE_SECONDS = 1;

	static Bulkhead of(String name, int max, Predicate<Request> kind) {
		ThreadPoolExecutor executor = new ThreadPoolExecutor(max, max, KEEP_ALIVE_SECONDS, TimeUnit.SECONDS,
				new LinkedBlockingQueue<>(), Thread.ofVirtual().name(name + "-", 1).factory());
		executor.allowCoreThreadTimeOut(true);
		return new Bulkhead(kind, executor);
	}

}
