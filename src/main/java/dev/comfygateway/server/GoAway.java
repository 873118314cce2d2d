package dev.comfygateway.server;

import java.util.stream.Stream;
import org.springframework.boot.jetty.JettyWebServer;
import org.springframework.boot.web.server.context.WebServerApplicationContext;
import org.springframework.context.ApplicationContext;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.stereotype.Component;

/**
 * Notice of a shutdown to callers over HTTP/2. Their streams go on to their ends, and new
 * ones go to another replica. Over HTTP/1.1 each answer says the same.
 */
@Component
class GoAway {

	private final ApplicationContext application;

	GoAway(ApplicationContext application) {
		this.application = application;
	}

	/** Sends it before the server waits for its requests. */
	@EventListener
	void send(ContextClosedEvent event) {
		if (event.getApplicationContext() == application && application instanceof WebServerApplicationContext web
				&& web.getWebServer() instanceof JettyWebServer jetty) {
			Stream.of(jetty.getServer().getConnectors()).filter(Http2::isSpokenBy).forEach(Http2::goAway);
		}
	}

}
