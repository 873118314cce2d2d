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
 * Warm-up of the client, and with it of the server, before readiness: the gateway
 * requests its own probe. Otherwise the first callers would wait for class loading and
 * for code that is not compiled yet. A failure here is ignored.
 */
@Component
class WarmUp implements ApplicationRunner {

	private static final Logger log = LoggerFactory.getLogger(WarmUp.class);

	/** Enough for the compiler to begin; they take 0.3 s. */
	private static final int REQUESTS = 50;

	/** No request begins after it, if the processor is slow. */
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
			client.warmUp(URI.create("http://127.0.0.1:%s/livez".formatted(port))).handle((outcome, bug) -> {
				if (bug != null) {
					log.debug("The warm-up failed: {}", bug.getClass().getName());
				}
				return outcome;
			}).join();
		}
	}

}
