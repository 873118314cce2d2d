package dev.comfygateway.upstream;

import java.net.URI;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.ApplicationArguments;
import org.springframework.boot.ApplicationRunner;
import org.springframework.boot.web.server.context.WebServerApplicationContext;
import org.springframework.boot.web.server.context.WebServerInitializedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.stereotype.Component;

/**
 * Warm-up of the client and the server before readiness: the gateway requests its own
 * liveness probe. Otherwise class loading and uncompiled code would delay the first
 * callers. Failures of the warm-up are ignored.
 */
@Component
class WarmUp implements ApplicationRunner {

	private static final Logger log = LoggerFactory.getLogger(WarmUp.class);

	/** Number of requests. It suffices to start JIT compilation and takes 0.3 s. */
	private static final int REQUESTS = 50;

	/** Time after which no request is started, for a slow processor. */
	private static final long MAX_NANOS = TimeUnit.SECONDS.toNanos(1);

	private final ComfyCloudClient client;

	private int port;

	WarmUp(ComfyCloudClient client) {
		this.client = client;
	}

	@EventListener
	void started(WebServerInitializedEvent event) {
		if (!WebServerApplicationContext.hasServerNamespace(event.getApplicationContext(), "management")) {
			port = event.getWebServer().getPort();
		}
	}

	@Override
	public void run(ApplicationArguments arguments) {
		long start = System.nanoTime();
		for (int i = 0; port > 0 && i < REQUESTS && System.nanoTime() - start < MAX_NANOS; i++) {
			client.warmUp(URI.create("http://127.0.0.1:%s/livez".formatted(port))).handle((outcome, unexpected) -> {
				if (unexpected != null) {
					log.debug("The warm-up failed: {}", unexpected.getClass().getName());
				}
				return outcome;
			}).join();
		}
	}

}
