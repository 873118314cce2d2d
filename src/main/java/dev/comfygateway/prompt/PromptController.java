package dev.comfygateway.prompt;

import dev.comfygateway.cache.Lookup;
import dev.comfygateway.cache.PromptCache;
import dev.comfygateway.cache.RequestDirectives;
import dev.comfygateway.prompt.PromptMetrics.Result;
import dev.comfygateway.server.PollerProtocol;
import io.micrometer.core.instrument.Timer;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * Controller of {@code /api/prompt}. It writes to the response itself, so that an answer
 * is the same to the byte whether {@link PromptFilter} or Spring MVC called, and it never
 * holds a thread: a caller who must wait does so without one.
 */
@RestController
class PromptController {

	static final String PATH = "/api/prompt";

	/**
	 * Number of callers who wait at the same time with a request that the server holds,
	 * which takes 44 KiB each: they must fit in the heap.
	 */
	private static final int MOST_WAITING = 400;

	private final PromptCache cache;

	private final PromptAnswer answer;

	private final PromptMetrics metrics;

	private final Semaphore places = new Semaphore(MOST_WAITING);

	PromptController(PromptCache cache, PromptAnswer answer, PromptMetrics metrics) {
		this.cache = cache;
		this.answer = answer;
		this.metrics = metrics;
	}

	@GetMapping(PATH)
	void getPromptInfo(HttpServletRequest request, HttpServletResponse response) throws IOException {
		RequestDirectives wanted = RequestDirectives.of(request.getHeaders(HttpHeaders.CACHE_CONTROL),
				request.getHeader(HttpHeaders.PRAGMA));
		Lookup lookup = cache.lookup(wanted);
		if (lookup instanceof Lookup.Awaited(var coming)) {
			if (!places.tryAcquire()) {
				answer.writeTooManyWait(response);
				return;
			}
			AsyncContext exchange = request.startAsync(request, response);
			// The upstream's deadline bounds the wait
			exchange.setTimeout(0);
			coming.whenComplete((come, bug) -> finish(exchange, request, response, come));
		}
		else {
			Result result = answer.write(lookup, request, response);
			if (lookup instanceof Lookup.Stored given) {
				Timer timer = metrics.timer(request.getMethod(), response.getStatus());
				PollerProtocol.repeatWhile(() -> isRepeated(given, wanted, result, timer));
			}
		}
	}

	/** Answers a caller who has waited. */
	void finish(PromptWait wait, HttpServletRequest request, HttpServletResponse response) throws IOException {
		CompletableFuture<Lookup> come = wait.answer();
		write(come.isCompletedExceptionally() ? null : come.join(), request, response);
	}

	/** Whether a caller who asks the same is answered the same, and that it was so. */
	private boolean isRepeated(Lookup.Stored given, RequestDirectives wanted, Result result, Timer timer) {
		long start = System.nanoTime();
		Lookup.Stored now = cache.fresh(wanted);
		if (now == null || !PromptAnswer.isSame(given, now)) {
			return false;
		}
		metrics.count(result);
		timer.record(System.nanoTime() - start, TimeUnit.NANOSECONDS);
		return true;
	}

	private void finish(AsyncContext exchange, HttpServletRequest request, HttpServletResponse response,
			@Nullable Lookup come) {
		try {
			write(come, request, response);
		}
		catch (IOException ignored) {
			// The caller is gone
		}
		finally {
			places.release();
			exchange.complete();
		}
	}

	private void write(@Nullable Lookup come, HttpServletRequest request, HttpServletResponse response)
			throws IOException {
		if (come == null) {
			answer.writeBug(response);
		}
		else {
			answer.write(come, request, response);
		}
	}

}
