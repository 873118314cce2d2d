package dev.comfygateway.prompt;

import dev.comfygateway.server.PollerProtocol;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpFilter;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.springframework.http.HttpHeaders;
import org.springframework.web.cors.CorsUtils;
import org.springframework.web.filter.ServerHttpObservationFilter;

/**
 * Short way to the {@link PromptController}: ahead of Spring MVC, whose filters and
 * dispatch cost more than a cached answer does. The controller is the same either way.
 */
class PromptFilter extends HttpFilter {

	private static final long serialVersionUID = 1L;

	private final transient PromptController controller;

	private final transient PromptMetrics metrics;

	private final transient Cors cors;

	private final boolean observed;

	/**
	 * With this controller.
	 * @param observed whether Boot's filter comes before and counts and times what it
	 * sees
	 */
	PromptFilter(PromptController controller, PromptMetrics metrics, Cors cors, boolean observed) {
		this.controller = controller;
		this.metrics = metrics;
		this.cors = cors;
		this.observed = observed;
	}

	@Override
	protected void doFilter(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
			throws IOException, ServletException {
		if (!request.getServletPath().equals(PromptController.PATH)) {
			if (CorsUtils.isPreFlightRequest(request)) {
				// Spring MVC would refuse it too, but in words of its own
				response.sendError(HttpServletResponse.SC_FORBIDDEN);
			}
			else {
				chain.doFilter(request, response);
			}
			return;
		}
		cors.apply(request, response);
		long start = System.nanoTime();
		switch (request.getMethod()) {
			case "GET", "HEAD" -> {
				if (PollerProtocol.takeWait() instanceof PromptWait wait) {
					start = wait.start();
					controller.finish(wait, request, response);
				}
				else {
					controller.getPromptInfo(request, response);
				}
			}
			case "OPTIONS" -> {
				response.setHeader(HttpHeaders.ALLOW, "GET, HEAD, OPTIONS");
				response.setStatus(HttpServletResponse.SC_NO_CONTENT);
			}
			default -> {
				chain.doFilter(request, response);
				return;
			}
		}
		if (observed) {
			// Spring MVC, which would say it, is not asked
			ServerHttpObservationFilter.findObservationContext(request)
				.ifPresent(context -> context.setPathPattern(PromptController.PATH));
		}
		else if (request.isAsyncStarted()) {
			request.getAsyncContext().addListener(new Timing(request, response, start));
		}
		else {
			metrics.time(request.getMethod(), response.getStatus(), System.nanoTime() - start);
		}
	}

	/** Times an answer that a caller waits for. */
	private final class Timing implements AsyncListener {

		private final HttpServletRequest request;

		private final HttpServletResponse response;

		private final long start;

		Timing(HttpServletRequest request, HttpServletResponse response, long start) {
			this.request = request;
			this.response = response;
			this.start = start;
		}

		@Override
		public void onComplete(AsyncEvent event) {
			metrics.time(request.getMethod(), response.getStatus(), System.nanoTime() - start);
		}

		@Override
		public void onTimeout(AsyncEvent event) {
			// There is none
		}

		@Override
		public void onError(AsyncEvent event) {
			// Completion follows
		}

		@Override
		public void onStartAsync(AsyncEvent event) {
			// Happens once
		}

	}

}
