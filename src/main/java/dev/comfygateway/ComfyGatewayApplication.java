package dev.comfygateway;

import dev.comfygateway.log.BoundedLog;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.scheduling.annotation.EnableScheduling;

/** Entry point of the gateway. */
@SpringBootApplication
@EnableConfigurationProperties(GatewayProperties.class)
@EnableScheduling
public class ComfyGatewayApplication {

	public static void main(String[] args) {
		SpringApplication application = new SpringApplication(ComfyGatewayApplication.class);
		application.addListeners(new BoundedLog());
		application.run(args);
	}

}
