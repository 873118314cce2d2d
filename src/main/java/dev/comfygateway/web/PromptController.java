package dev.comfygateway.web;

import dev.comfygateway.cache.Lookup;
import dev.comfygateway.cache.PromptCache;
import dev.comfygateway.cache.RequestDirectives;
import dev.comfygateway.web.PromptMetrics.Result;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import org.springframework.http.HttpHeaders;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestMethod;
import org.springframework.web.bind.annotation.RestController;

/**
 * Controller of {@code /api/prompt}. It runs on a virtual thread and blocks where a
 * caller has to wait.
 */
@RestController
class PromptController {

	static final String PATH = "/api/prompt";

	private final PromptCache cache;

	private final WaitingCallers waitingCallers;

	private final PromptAnswers answers;

	private final PromptMetrics metrics;

	PromptController(PromptCache cache, WaitingCallers waitingCallers, PromptAnswers answers, PromptMetrics metrics) {
		this.cache = cache;
		this.waitingCallers = waitingCallers;
		this.answers = answers;
		this.metrics = metrics;
	}

	@GetMapping(PATH)
	ResponseEntity<byte[]> getPromptInfo(HttpServletRequest request) {
		RequestDirectives directives = RequestDirectives.of(lines(request, HttpHeaders.CACHE_CONTROL),
				request.getHeader(HttpHeaders.PRAGMA));
		Optional<Lookup> answer = cache.lookupInMemory(directives);
		if (answer.isEmpty()) {
			try {
				answer = waitingCallers.await(() -> cache.lookup(directives));
			}
			catch (CompletionException ignored) {
				// Logged by the cache, without its text
				metrics.count(Result.ERROR);
				return answers.bug();
			}
		}
		if (answer.isEmpty()) {
			metrics.count(Result.REJECTED);
			return answers.tooManyWaiting();
		}
		Lookup lookup = answer.get();
		metrics.count(PromptAnswers.result(lookup));
		return answers.render(lookup, lines(request, HttpHeaders.IF_NONE_MATCH));
	}

	/** Answer that is counted under this path, as Spring MVC's own one is not. */
	@RequestMapping(path = PATH, method = RequestMethod.OPTIONS)
	ResponseEntity<Void> options() {
		return ResponseEntity.noContent().build();
	}

	private static List<String> lines(HttpServletRequest request, String header) {
		return Collections.list(request.getHeaders(header));
	}

}
