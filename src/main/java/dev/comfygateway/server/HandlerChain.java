package dev.comfygateway.server;

import dev.comfygateway.GatewayProperties;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.handler.BufferedResponseHandler;

/**
 * Chain of the handlers in front of the servlets of a port. Up to the bulkheads they run
 * on a selector and must not block. Three of them answer for the API: <pre>
 *      ┌─ FreshAnswers ──── in memory? answered on the selector's thread
 * Jetty┼─ EventsHandler ─── the stream, which takes no thread
 *      └─ BulkheadHandler ─ PromptController on a thread that may wait
 * </pre>
 */
final class HandlerChain {

	/** Paths of both ports. Those of the actuator can have a prefix, hence contains. */
	private static final List<Endpoint> ENDPOINTS = List
		.of(new Endpoint(path -> path.equals("/livez") || path.equals("/readyz") || path.contains("/health"),
				Lane.PROBE, false), Endpoint.files("/prometheus", "/sbom"));

	private static final int MAX_PROBES = 2;

	private static final int MAX_LARGE = 256;

	private static final int MAX_OTHERS = 4;

	/** Threads for requests for the prompt that do not wait. */
	private static final int MAX_NOT_WAITING = 64;

	private static final Duration WRITE_DEADLINE = Duration.ofSeconds(20);

	private final GatewayProperties properties;

	private final HeapBudget heap;

	private final ErrorAnswerHandler errors;

	HandlerChain(GatewayProperties properties, HeapBudget heap, ErrorAnswerHandler errors) {
		this.properties = properties;
		this.heap = heap;
		this.errors = errors;
	}

	/** The handlers, in the order in which a request meets them. */
	List<Handler.Singleton> handlers(Collection<PlacedHandler> placed, Collection<Endpoint> endpoints, boolean http2) {
		List<Handler.Singleton> chain = new ArrayList<>();
		if (http2) {
			chain.add(new StreamHandler(heap, errors));
		}
		chain.add(new HeadHandler(errors));
		chain.addAll(at(PlacedHandler.Place.HEADERS, placed));
		chain.addAll(at(PlacedHandler.Place.ACCELERATOR, placed));
		chain.add(new NoStoreHandler());
		chain.add(new BodyDrainHandler());
		chain.add(new MethodsHandler());
		chain.addAll(at(PlacedHandler.Place.STREAM, placed));
		chain.add(new BulkheadHandler(bulkheads(), Stream.concat(ENDPOINTS.stream(), endpoints.stream()).toList(), heap,
				errors));
		chain.add(new NegotiationHandler());
		chain.add(new EmptyAnswerHandler(errors));
		chain.add(new SlowReaderHandler(ServerConfiguration.OUTPUT_BUFFER_SIZE, WRITE_DEADLINE));
		chain.add(buffered());
		return chain;
	}

	private static List<Handler.Singleton> at(PlacedHandler.Place place, Collection<PlacedHandler> placed) {
		return placed.stream()
			.filter(each -> each.place() == place)
			.map(PlacedHandler::handler)
			.filter(Objects::nonNull)
			.toList();
	}

	/** Bounded buffers, so that a caller who does not read holds no thread. */
	private static Handler.Singleton buffered() {
		BufferedResponseHandler buffered = new BufferedResponseHandler();
		buffered.includeMethod("HEAD", "OPTIONS");
		return buffered;
	}

	private Map<Lane, Bulkhead> bulkheads() {
		return Map.of(Lane.PROBE, Bulkhead.ofQuick("probe", MAX_PROBES), Lane.WAITING,
				Bulkhead.ofWaiting("prompt", properties.maxWaiting() + MAX_NOT_WAITING), Lane.LARGE,
				Bulkhead.ofWaiting("large", MAX_LARGE), Lane.OTHER, Bulkhead.ofQuick("other", MAX_OTHERS));
	}

}
