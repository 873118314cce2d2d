package dev.comfygateway;

import dev.comfygateway.simulator.SimulatedComfyCloud;
import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.core.env.Environment;

/**
 * Gateway with a simulated Comfy Cloud: {@code ./mvnw spring-boot:test-run} needs no key
 * and no network. It finds this class because no other test class has a public main
 * method.
 */
public class TestComfyGatewayApplication {

	private static final String KEY = "simulated-key";

	public static void main(String[] args) {
		SimulatedComfyCloud upstream = SimulatedComfyCloud.start(Integer.getInteger("simulator.port", 8188), KEY);
		SpringApplication gateway = new SpringApplication(ComfyGatewayApplication.class);
		// Defaults that the environment can override
		gateway.setDefaultProperties(Map.of("comfy.base-url", upstream.baseUrl(), "comfy.api-key", KEY));
		Environment environment = gateway.run(args).getEnvironment();
		// A key from the environment works here too
		upstream.acceptKey(environment.getProperty("comfy.api-key", KEY));
		System.out.printf("Ask:       curl -i localhost:%s/api/prompt%n",
				environment.getProperty("local.server.port", "8080"));
		System.out.printf("Misbehave: curl -X PUT localhost:%d/simulator/stall  (%s)%n", upstream.port(),
				String.join(", ", SimulatedComfyCloud.behaviours()));
	}

}
