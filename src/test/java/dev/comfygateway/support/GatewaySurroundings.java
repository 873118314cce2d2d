package dev.comfygateway.support;

import dev.comfygateway.simulator.SimulatedComfyCloud;
import io.micrometer.core.instrument.MeterRegistry;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.boot.test.util.TestPropertyValues;
import org.springframework.context.ApplicationContextInitializer;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.support.GenericApplicationContext;
import reactor.core.scheduler.Scheduler;

/** Upstream and clock of a {@link RunningGateway}. */
@TestConfiguration(proxyBeanMethods = false)
class GatewaySurroundings {

	/** Removes the bean that registers the accelerator. */
	static void removeAccelerator(ConfigurableListableBeanFactory beans) {
		((BeanDefinitionRegistry) beans).removeBeanDefinition("promptAccelerator");
	}

	@Bean
	FakeTime time() {
		return new FakeTime();
	}

	@Bean
	Scheduler eventScheduler(FakeTime time) {
		return time.scheduler();
	}

	@Bean
	WaitingCallers waitingCallersGauge(MeterRegistry meters) {
		return new WaitingCallers(meters);
	}

	/**
	 * Starts the upstream before any bean needs its address, unless another one is set.
	 */
	static class UpstreamInitializer implements ApplicationContextInitializer<ConfigurableApplicationContext> {

		@Override
		public void initialize(ConfigurableApplicationContext context) {
			SimulatedComfyCloud upstream = SimulatedComfyCloud.start(0, RunningGateway.KEY);
			if (!context.getEnvironment().containsProperty("comfy.base-url")) {
				TestPropertyValues.of("comfy.base-url=" + upstream.baseUrl()).applyTo(context);
			}
			((GenericApplicationContext) context).registerBean(SimulatedComfyCloud.class, () -> upstream);
		}

	}

}
