package dev.comfygateway.prompt;

import dev.comfygateway.cache.Lookup;
import dev.comfygateway.cache.PromptCache;
import dev.comfygateway.server.PollerProtocol;
import org.apache.catalina.Container;
import org.apache.catalina.core.StandardContext;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.tomcat.TomcatWebServer;
import org.springframework.boot.web.server.context.WebServerApplicationContext;
import org.springframework.boot.web.server.context.WebServerInitializedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.stereotype.Component;

/**
 * Has the server keep the callers who wait for an answer that another one has asked for.
 */
@Component
class PromptWaits {

	private final PromptCache cache;

	PromptWaits(PromptCache cache) {
		this.cache = cache;
	}

	@EventListener
	void started(WebServerInitializedEvent event) {
		if (!WebServerApplicationContext.hasServerNamespace(event.getApplicationContext(), "management")
				&& event.getWebServer() instanceof TomcatWebServer server
				&& server.getTomcat().getConnector().getProtocolHandler() instanceof PollerProtocol protocol) {
			for (Container child : server.getTomcat().getHost().findChildren()) {
				if (child instanceof StandardContext context) {
					protocol.keepWaiting(() -> waitFor(context));
				}
			}
		}
	}

	private @Nullable PromptWait waitFor(StandardContext context) {
		Lookup.Awaited awaited = cache.underWay();
		return awaited == null ? null : new PromptWait(awaited.answer(), System.nanoTime(), context);
	}

}
