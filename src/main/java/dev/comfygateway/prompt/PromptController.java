package dev.comfygateway.prompt;

import dev.comfygateway.cache.Lookup;
import dev.comfygateway.cache.PromptCache;
import dev.comfygateway.cache.RequestDirectives;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
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

	private final PromptCache cache;

	private final PromptAnswer answer;

	PromptController(PromptCache cache, PromptAnswer answer) {
		this.cache = cache;
		this.answer = answer;
	}

	@GetMapping(PATH)
	void getPromptInfo(HttpServletRequest request, HttpServletResponse response) throws IOException {
		Lookup lookup = cache.lookup(RequestDirectives.of(request.getHeaders(HttpHeaders.CACHE_CONTROL),
				request.getHeader(HttpHeaders.PRAGMA)));
		if (lookup instanceof Lookup.Awaited(var coming)) {
			AsyncContext exchange = request.startAsync(request, response);
			// The upstream's deadline bounds the wait
			exchange.setTimeout(0);
			coming.whenComplete((come, bug) -> finish(exchange, request, response, come));
		}
		else {
			answer.write(lookup, request, response);
		}
	}

	private void finish(AsyncContext exchange, HttpServletRequest request, HttpServletResponse response,
			@Nullable Lookup come) {
		try {
			if (come == null) {
				answer.writeBug(response);
			}
			else {
				answer.write(come, request, response);
			}
		}
		catch (IOException ignored) {
			// The caller is gone
		}
		finally {
			exchange.complete();
		}
	}

}
