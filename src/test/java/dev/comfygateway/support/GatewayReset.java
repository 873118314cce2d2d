package dev.comfygateway.support;

import dev.comfygateway.simulator.Behaviour;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import java.time.Duration;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.springframework.context.ApplicationContext;
import org.springframework.test.context.junit.jupiter.SpringExtension;

/**
 * Extension that removes what earlier tests of a shared gateway left: the upstream
 * responds with a queue of 3, and nothing is in the cache.
 */
class GatewayReset implements BeforeEachCallback {

	@Override
	public void beforeEach(ExtensionContext test) {
		ApplicationContext gateway = SpringExtension.getApplicationContext(test);
		SimulatedComfyCloud upstream = gateway.getBean(SimulatedComfyCloud.class);
		upstream.behave(Behaviour.NORMAL);
		upstream.queueRemaining(3);
		gateway.getBean(FakeTime.class).advance(Duration.ofDays(1));
	}

}
