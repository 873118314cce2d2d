package dev.comfygateway.prompt;

import dev.comfygateway.server.PollerProtocol;
import dev.comfygateway.tracing.TracingSwitch;
import io.micrometer.common.KeyValue;
import java.util.Set;
import org.springframework.boot.tomcat.autoconfigure.TomcatServerProperties;
import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;
import org.springframework.core.env.Environment;
import org.springframework.http.server.observation.DefaultServerRequestObservationConvention;
import org.springframework.http.server.observation.ServerRequestObservationContext;
import org.springframework.http.server.observation.ServerRequestObservationConvention;

/** Wiring of {@code /api/prompt} into the server. */
@Configuration(proxyBeanMethods = false)
class PromptConfiguration {

	private static final Set<String> METHODS = Set.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS",
			"TRACE");

	/** Where requests are traced, Boot's filter, the second of all, must come first. */
	@Bean
	FilterRegistrationBean<PromptFilter> promptFilter(PromptController controller, PromptMetrics metrics, Cors cors,
			Environment environment) {
		boolean traced = TracingSwitch.isOn(environment);
		FilterRegistrationBean<PromptFilter> filter = new FilterRegistrationBean<>(
				new PromptFilter(controller, metrics, cors, traced));
		filter.setOrder(traced ? Ordered.HIGHEST_PRECEDENCE + 2 : Ordered.HIGHEST_PRECEDENCE);
		return filter;
	}

	/**
	 * The whole of {@code /api/prompt} runs without waiting, so its callers need no
	 * thread, unless each request is to be logged or traced.
	 */
	@Bean
	WebServerFactoryCustomizer<TomcatServletWebServerFactory> promptProtocol(TomcatServerProperties tomcat,
			Environment environment) {
		boolean atOnce = !tomcat.getAccesslog().isEnabled() && !TracingSwitch.isOn(environment);
		return factory -> {
			factory.setProtocol(PollerProtocol.class.getName());
			factory.addConnectorCustomizers(connector -> {
				if (connector.getProtocolHandler() instanceof PollerProtocol protocol && atOnce) {
					protocol.answerAtOnce(PromptController.PATH);
				}
			});
		};
	}

	/** A caller can invent methods, which must not become labels. */
	@Bean
	ServerRequestObservationConvention serverRequestObservationConvention() {
		return new DefaultServerRequestObservationConvention() {
			@Override
			protected KeyValue method(ServerRequestObservationContext context) {
				KeyValue method = super.method(context);
				return METHODS.contains(method.getValue()) ? method : KeyValue.of(method.getKey(), "UNKNOWN");
			}
		};
	}

}
