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
 * HTTP client of the upstream, and its time: the scheduler of deadlines and pauses, the
 * clock, and the shutdown that waits for a fetch.
 */
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(LifecycleProperties.class)
class UpstreamConfiguration {

	/** Time to answer the callers of a fetch that ended by its deadline. */
	private static final Duration SHUTDOWN_MARGIN = Duration.ofSeconds(2);

	@Bean(initMethod = "start", destroyMethod = "stop")
	HttpClient upstreamHttpClient(HttpClientSettings settings, ComfyProperties properties) {
		return UpstreamConnections.create(settings, properties);
	}

	/** Name and version, as the upstream's operators see them. */
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

	/** Replaces Boot's own, whose 30 s can be less than the deadline of a fetch. */
	@Bean
	DefaultLifecycleProcessor lifecycleProcessor(LifecycleProperties lifecycle, ComfyProperties properties) {
		var processor = new DefaultLifecycleProcessor();
		Duration fetch = properties.deadline().plus(SHUTDOWN_MARGIN);
		processor.setTimeoutPerShutdownPhase(
				Collections.max(List.of(lifecycle.getTimeoutPerShutdownPhase(), fetch)).toMillis());
		return processor;
	}

}
