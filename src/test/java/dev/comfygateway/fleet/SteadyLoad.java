package dev.comfygateway.fleet;

import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Constant-rate load on all gateways. Every answer must be good and within its deadline.
 */
final class SteadyLoad implements AutoCloseable {

	private final Gateways gateways;

	private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();

	private final AtomicInteger sent = new AtomicInteger();

	private final AtomicInteger answered = new AtomicInteger();

	private final AtomicLong slowest = new AtomicLong();

	private final ConcurrentLinkedQueue<String> wrong = new ConcurrentLinkedQueue<>();

	private SteadyLoad(Gateways gateways) {
		this.gateways = gateways;
	}

	static SteadyLoad start(Gateways gateways, int requestsPerSecond) {
		SteadyLoad load = new SteadyLoad(gateways);
		load.timer.scheduleAtFixedRate(load::send, 0, 1_000_000 / requestsPerSecond, TimeUnit.MICROSECONDS);
		return load;
	}

	private void send() {
		int number = sent.getAndIncrement();
		long start = System.nanoTime();
		gateways.caller.sendAsync(gateways.request(number % gateways.count()), BodyHandlers.ofString())
			.whenComplete((answer, failure) -> {
				slowest.accumulateAndGet(System.nanoTime() - start, Math::max);
				if (failure != null) {
					wrong.add(failure.toString());
				}
				else if (!isGood(answer)) {
					wrong.add(answer + " " + answer.headers().map() + answer.body());
				}
				answered.incrementAndGet();
			});
	}

	private static boolean isGood(HttpResponse<String> answer) {
		return answer.statusCode() == 200 && answer.body().contains("queue_remaining");
	}

	/** Failed requests and unexpected responses. */
	List<String> wrong() {
		return List.copyOf(wrong);
	}

	int answered() {
		return answered.get();
	}

	/** Maximum duration of a request since the last call. */
	Duration slowest() {
		return Duration.ofNanos(slowest.getAndSet(0));
	}

	@Override
	public void close() {
		timer.shutdownNow();
	}

}
