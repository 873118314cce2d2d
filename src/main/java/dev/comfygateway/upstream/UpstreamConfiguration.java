package dev.comfygateway.upstream;

import java.time.Duration;
import java.time.InstantSource;
import java.util.Collections;
import java.util.List;
import org.eclipse.jetty.client.HttpClient;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.context.LifecycleProperties;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.http.client.HttpClientSettings;
import org.springframework.boot.info.BuildProperties;
import org.springframework.boot.webclient.WebClientCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.support.DefaultLifecycleProcessor;
import org.springframework.http.HttpHeaders;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * Configuration of the HTTP client of the upstream, its scheduler and clock, and the
 * shutdown timeout.
 */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties({ ComfyProperties.class, LifecycleProperties.class })
class UpstreamConfiguration {

	/** Time to respond to callers after a fetch has reached its deadline. */
	private static final Duration SHUTDOWN_MARGIN = Duration.ofSeconds(2);

	@Bean(initMethod = "start", destroyMethod = "stop")
	HttpClient upstreamHttpClient(HttpClientSettings settings, ComfyProperties properties) {
		return UpstreamHttpClientFactory.create(settings, properties);
	}

	/** Sends the gateway's name and version as {@code User-Agent}. */
	@Bean
	WebClientCustomizer userAgent(ObjectProvider<BuildProperties> build) {
		BuildProperties built = build.getIfAvailable();
		return builder -> builder.defaultHeader(HttpHeaders.USER_AGENT,
				"comfy-gateway/" + (built == null ? "dev" : built.getVersion()));
	}

	@Bean
	@ConditionalOnMissingBean(name = "scheduler")
	Scheduler scheduler() {
		return Schedulers.parallel();
	}

	@Bean
	@ConditionalOnMissingBean
	InstantSource clock() {
		return InstantSource.system();
	}

	/**
	 * Replaces Spring Boot's processor, whose timeout of 30 s can be shorter than the
	 * deadline of a fetch.
	 */
	@Bean
	DefaultLifecycleProcessor lifecycleProcessor(LifecycleProperties lifecycle, ComfyProperties properties) {
		var processor = new DefaultLifecycleProcessor();
		Duration fetch = properties.deadline().plus(SHUTDOWN_MARGIN);
		processor.setTimeoutPerShutdownPhase(
				Collections.max(List.of(lifecycle.getTimeoutPerShutdownPhase(), fetch)).toMillis());
		return processor;
	}

}
