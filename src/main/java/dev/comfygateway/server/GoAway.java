package dev.comfygateway.server;

import java.util.stream.Stream;
import org.springframework.boot.jetty.JettyWebServer;
import org.springframework.boot.web.server.context.WebServerApplicationContext;
import org.springframework.context.ApplicationContext;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.stereotype.Component;

/**
 * Sender of HTTP/2 GOAWAY frames at shutdown. Open streams complete, and callers open new
 * ones on other connections, which lead to other replicas. Over HTTP/1.1 Jetty adds
 * {@code Connection: close} to each response.
 */
@Component
class GoAway {

	private final ApplicationContext application;

	GoAway(ApplicationContext application) {
		this.application = application;
	}

	/** Sends GOAWAY before the server waits for requests in progress. */
	@EventListener
	void send(ContextClosedEvent event) {
		if (event.getApplicationContext() == application && application instanceof WebServerApplicationContext web
				&& web.getWebServer() instanceof JettyWebServer jetty) {
			Stream.of(jetty.getServer().getConnectors()).filter(Http2::isSupportedBy).forEach(Http2::goAway);
		}
	}

}
