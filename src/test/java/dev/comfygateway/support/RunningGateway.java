package dev.comfygateway.support;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Import;
import org.springframework.test.context.ContextConfiguration;

/**
 * Annotation for tests of the complete gateway on real ports, with a simulated upstream
 * and a fake clock. All such tests share one gateway, which is reset before each test.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@SpringBootTest(webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT,
		properties = { "management.server.port=0", "comfy.api-key=" + RunningGateway.KEY,
				// In real time, since hundreds of concurrent callers may take long to
				// start
				"comfy.deadline=60s", "server.http2.enabled=true",
				"gateway.max-waiting=" + RunningGateway.MAX_WAITING })
@ContextConfiguration(initializers = GatewaySurroundings.UpstreamInitializer.class)
@Import(GatewaySurroundings.class)
@ExtendWith(GatewayReset.class)
public @interface RunningGateway {

	/** Value of {@code gateway.max-waiting}. */
	int MAX_WAITING = 600;

	/** Key of the gateway, accepted by its upstream. */
	String KEY = "key-of-the-running-gateway";

}
