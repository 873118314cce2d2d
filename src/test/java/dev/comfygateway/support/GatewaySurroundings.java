package dev.comfygateway.support;

import dev.comfygateway.simulator.SimulatedComfyCloud;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.boot.test.util.TestPropertyValues;
import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.context.ApplicationContextInitializer;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.support.GenericApplicationContext;

/** What a {@link RunningGateway} stands in: its upstream and its time. */
@TestConfiguration(proxyBeanMethods = false)
class GatewaySurroundings {

	@Bean
	FakeTime time() {
		return new FakeTime();
	}

	@Bean
	WaitingCallers waitingCallers() {
		return new WaitingCallers();
	}

	@Bean
	WebServerFactoryCustomizer<TomcatServletWebServerFactory> waitingCallersCustomizer(WaitingCallers callers) {
		return factory -> factory.addContextCustomizers(callers);
	}

	/** Starts the upstream before any bean asks where it is. */
	static class UpstreamInitializer implements ApplicationContextInitializer<ConfigurableApplicationContext> {

		@Override
		public void initialize(ConfigurableApplicationContext context) {
			SimulatedComfyCloud upstream = SimulatedComfyCloud.start(0, RunningGateway.KEY);
			TestPropertyValues.of("comfy.base-url=" + upstream.baseUrl()).applyTo(context);
			((GenericApplicationContext) context).registerBean(SimulatedComfyCloud.class, () -> upstream);
		}

	}

}
