package dev.comfygateway;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.ConfigurationPropertiesScan;

/** Entry point of the gateway. */
@SpringBootApplication
@ConfigurationPropertiesScan
public class ComfyGatewayApplication {

	public static void main(String[] args) {
		SpringApplication.run(ComfyGatewayApplication.class, args);
	}

}
