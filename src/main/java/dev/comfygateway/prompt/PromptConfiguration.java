package dev.comfygateway.prompt;

import dev.comfygateway.cache.PromptCache;
import dev.comfygateway.server.Endpoint;
import dev.comfygateway.server.ChainedHandler;
import dev.comfygateway.server.HeapBudget;
import dev.comfygateway.server.Lane;
import dev.comfygateway.tracing.TracingSwitch;
import org.eclipse.jetty.http.HttpMethod;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Registration of {@code /api/prompt} with the server. */
@Configuration(proxyBeanMethods = false)
class PromptConfiguration {

	@Bean
	Endpoint promptEndpoint(PromptMetrics metrics) {
		return Endpoint.api(PromptController.PATH, Lane.WAITING).onRejected(request -> {
			if (HttpMethod.GET.is(request.getMethod()) || HttpMethod.HEAD.is(request.getMethod())) {
				metrics.count(PromptMetrics.Result.REJECTED);
			}
		});
	}

	/**
	 * Registers the accelerator, unless tracing is enabled: then every request must pass
	 * Spring's filter.
	 */
	@Bean
	@ConditionalOnBooleanProperty(name = TracingSwitch.ENABLED, havingValue = false)
	ChainedHandler promptAccelerator(PromptCache cache, WaitingCallers waitingCallers, HeapBudget heap,
			PromptRenderer renderer, PromptMetrics metrics) {
		return new ChainedHandler(ChainedHandler.Position.ACCELERATOR,
				new PromptAccelerator(cache, waitingCallers, heap, renderer, metrics));
	}

}
