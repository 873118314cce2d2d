package dev.comfygateway.prompt;

import dev.comfygateway.cache.Lookup;
import dev.comfygateway.cache.PromptCache;
import dev.comfygateway.cache.RequestDirectives;
import dev.comfygateway.upstream.PromptInfo;
import dev.comfygateway.prompt.PromptMetrics.Result;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.enums.ParameterIn;
import io.swagger.v3.oas.annotations.headers.Header;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.springframework.http.HttpHeaders;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestMethod;
import org.springframework.web.bind.annotation.RestController;

/**
 * Controller of {@code /api/prompt}. It runs on a virtual thread, which blocks if a
 * caller must wait. {@link PromptAccelerator} responds in its place to requests that need
 * no feature of Spring MVC.
 */
@RestController
class PromptController {

	static final String PATH = "/api/prompt";

	private final PromptCache cache;

	private final WaitingCallers waitingCallers;

	private final PromptRenderer renderer;

	private final PromptMetrics metrics;

	PromptController(PromptCache cache, WaitingCallers waitingCallers, PromptRenderer renderer, PromptMetrics metrics) {
		this.cache = cache;
		this.waitingCallers = waitingCallers;
		this.renderer = renderer;
		this.metrics = metrics;
	}

	@Operation(summary = "Get information about current prompt execution",
			description = "Returns information about the current prompt in the execution queue. The answer is"
					+ " cached for a short time: see `Age` and `Cache-Status`. `HEAD` returns the same headers.",
			parameters = @Parameter(in = ParameterIn.HEADER, name = HttpHeaders.CACHE_CONTROL,
					description = "`no-cache` or `max-age=N` requests a newer answer than the cached one,"
							+ " `only-if-cached` only the cached one; everything else is ignored",
					schema = @Schema(type = "string"), example = "max-age=1"))
	@ApiResponse(responseCode = "200", description = "Success",
			headers = { @Header(name = "ETag", ref = "ETag"), @Header(name = "Cache-Control", ref = "Cache-Control"),
					@Header(name = "Cache-Status", ref = "Cache-Status"), @Header(name = "Age", ref = "Age") },
			content = @Content(mediaType = "application/json", schema = @Schema(implementation = PromptInfo.class)))
	@ApiResponse(responseCode = "304", description = "The caller already has this answer",
			headers = { @Header(name = "ETag", ref = "ETag"), @Header(name = "Cache-Control", ref = "Cache-Control"),
					@Header(name = "Cache-Status", ref = "Cache-Status"), @Header(name = "Age", ref = "Age") },
			content = @Content)
	@GetMapping(PATH)
	ResponseEntity<byte[]> getPromptInfo(HttpServletRequest request) {
		RequestDirectives directives = RequestDirectives.of(lines(request, HttpHeaders.CACHE_CONTROL),
				request.getHeader(HttpHeaders.PRAGMA));
		// A result in memory needs no permit
		Optional<Lookup> answer = cache.lookupInMemory(directives);
		if (answer.isEmpty()) {
			try {
				answer = waitingCallers.join(() -> cache.lookup(directives)).map(CompletableFuture::join);
			}
			catch (CompletionException ignored) {
				// The cache has logged it, without its message
				metrics.count(Result.ERROR);
				return renderer.bug();
			}
		}
		if (answer.isEmpty()) {
			metrics.count(Result.REJECTED);
			return renderer.tooManyWaiting();
		}
		Lookup lookup = answer.get();
		metrics.count(PromptRenderer.result(lookup));
		return renderer.render(lookup, lines(request, HttpHeaders.IF_NONE_MATCH));
	}

	/**
	 * Handles OPTIONS, so that the request is counted under this path. Spring MVC's
	 * default response is not.
	 */
	@Operation(hidden = true)
	@RequestMapping(path = PATH, method = RequestMethod.OPTIONS)
	ResponseEntity<Void> options() {
		return ResponseEntity.noContent().build();
	}

	private static List<String> lines(HttpServletRequest request, String header) {
		return Collections.list(request.getHeaders(header));
	}

}
