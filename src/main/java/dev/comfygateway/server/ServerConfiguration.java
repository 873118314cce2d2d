package dev.comfygateway.server;

import org.springframework.boot.actuate.autoconfigure.web.ManagementContextConfiguration;
import org.springframework.boot.tomcat.ConfigurableTomcatWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.context.annotation.Bean;

/** Wiring into both servers, of which the operators' has a context of its own. */
@ManagementContextConfiguration(proxyBeanMethods = false)
class ServerConfiguration {

	@Bean
	WebServerFactoryCustomizer<ConfigurableTomcatWebServerFactory> unreadBodyCustomizer() {
		return factory -> factory.addEngineValves(new UnreadBodyValve());
	}

}
