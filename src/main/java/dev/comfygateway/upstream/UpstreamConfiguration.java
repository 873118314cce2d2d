package dev.comfygateway.upstream;

import java.time.InstantSource;
import org.eclipse.jetty.client.HttpClient;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.http.client.HttpClientSettings;
import org.springframework.boot.info.BuildProperties;
import org.springframework.boot.webclient.WebClientCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.HttpHeaders;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * HTTP client of the upstream, and its time: the scheduler of deadlines and pauses, and
 * the clock.
 */
@Configuration(proxyBeanMethods = false)
class UpstreamConfiguration {

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

}
