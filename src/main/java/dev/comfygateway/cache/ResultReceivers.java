package dev.comfygateway.cache;

import dev.comfygateway.log.UnexpectedExceptionLog;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.slf4j.LoggerFactory;

/**
 * Receivers of the status after each result, in the order of the results. A status is
 * queued until its fetch is no longer in flight, since a receiver may start the next
 * fetch.
 */
final class ResultReceivers {

	private final List<Consumer<UpstreamStatus>> receivers = new CopyOnWriteArrayList<>();

	private final Queue<UpstreamStatus> unreported = new ConcurrentLinkedQueue<>();

	private final UnexpectedExceptionLog exceptions = new UnexpectedExceptionLog(
			LoggerFactory.getLogger(ResultReceivers.class), "A receiver of results");

	/**
	 * Adds a receiver. It is called on the thread that adds the result, or on another one
	 * that reports at the same time. It must not block.
	 */
	void add(Consumer<UpstreamStatus> receiver) {
		receivers.add(receiver);
	}

	/** Queues a status for the next report. */
	void queue(UpstreamStatus status) {
		unreported.add(status);
	}

	/** Reports the queued statuses. */
	void report() {
		synchronized (unreported) {
			for (UpstreamStatus status = unreported.poll(); status != null; status = unreported.poll()) {
				for (Consumer<UpstreamStatus> receiver : receivers) {
					report(status, receiver);
				}
			}
		}
	}

	/** Notifies one receiver. Its exceptions must not affect callers. */
	private void report(UpstreamStatus status, Consumer<UpstreamStatus> receiver) {
		try {
			receiver.accept(status);
		}
		catch (RuntimeException | Error unexpected) {
			exceptions.log(unexpected);
		}
	}

}
