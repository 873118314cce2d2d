package dev.comfygateway.error;

import dev.comfygateway.GatewayProperties;
import java.util.Set;
import org.apache.catalina.core.StandardHost;
import org.springframework.boot.actuate.autoconfigure.web.ManagementContextConfiguration;
import org.springframework.boot.tomcat.ConfigurableTomcatWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;

/**
 * Servers on which every failure that nothing else has told goes to the
 * {@link ErrorValve}: no error pages, which know only what Spring has seen. The
 * operators' server is one of its own and needs the same again.
 */
@ManagementContextConfiguration(proxyBeanMethods = false)
class ErrorConfiguration {

	@Bean
	@Order(Ordered.LOWEST_PRECEDENCE)
	WebServerFactoryCustomizer<ConfigurableTomcatWebServerFactory> errorValveCustomizer(GatewayProperties properties) {
		return factory -> {
			factory.setErrorPages(Set.of());
			factory.addContextCustomizers(context -> {
				StandardHost host = (StandardHost) context.getParent();
				host.setErrorReportValveClass(ErrorValve.class.getName());
				host.getPipeline().addValve(new ErrorValve(properties.name()));
			});
		};
	}

}
