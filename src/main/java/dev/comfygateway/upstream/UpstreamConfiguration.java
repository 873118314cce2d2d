package dev.comfygateway.upstream;

import java.time.InstantSource;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.scheduling.annotation.EnableScheduling;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * Time as the upstream's client sees it: what deadlines and pauses run on, and the date.
 */
@Configuration(proxyBeanMethods = false)
@EnableScheduling
class UpstreamConfiguration {

	@Bean
	@ConditionalOnMissingBean
	Scheduler scheduler() {
		return Schedulers.parallel();
	}

	@Bean
	@ConditionalOnMissingBean
	InstantSource clock() {
		return InstantSource.system();
	}

}
