package dev.comfygateway.server;

import dev.comfygateway.GatewayProperties;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.handler.BufferedResponseHandler;

/**
 * Chain of the handlers that precede the servlets of a port. Up to
 * {@link BulkheadHandler} they run on a selector's thread and must not block. Jetty calls
 * them there because each {@code Handler.Wrapper} delegates {@code getInvocationType()}
 * to the next handler, until one returns {@code NON_BLOCKING}. A request passes through
 * them in this order:
 * <ol>
 * <li>{@link Http2StreamHandler}: heap, body and head of an HTTP/2 stream. It is present
 * only if the port supports HTTP/2.</li>
 * <li>{@link HeadHandler}: heap of the head, and limits that Jetty does not check.</li>
 * <li>{@link ChainedHandler.Position#HEADERS}: {@link CorsHandler}, if any origin is
 * allowed.</li>
 * <li>{@link ChainedHandler.Position#ACCELERATOR}: {@code PromptAccelerator}, which
 * responds to most requests for {@code /api/prompt}.</li>
 * <li>{@link DefaultCacheControlHandler}: default {@code Cache-Control} field.</li>
 * <li>{@link BodyDrainHandler}: unread request bodies.</li>
 * <li>{@link MethodsHandler}: TRACE, CONNECT and OPTIONS.</li>
 * <li>{@link ChainedHandler.Position#EVENTS}: {@code EventsHandler}, which sends the
 * stream of events without a thread.</li>
 * <li>{@link BulkheadHandler}: dispatch to a thread that may block.</li>
 * <li>{@link NegotiationHandler}: removal of {@code Accept}, {@code Range} and
 * {@code Content-Type}.</li>
 * <li>{@link EmptyResponseHandler}: responses without a body.</li>
 * <li>{@link SlowReaderHandler}: deadline of a response, and release of its thread.</li>
 * <li>{@link BufferedResponseHandler} of Jetty: aggregation of small writes.</li>
 * </ol>
 *
 * <p>
 * The servlet context follows, with Spring MVC and its controllers. Each
 * {@link ChainedHandler} is present only on the callers' port.
 * {@link ErrorResponseHandler} is the server's error handler and not part of the chain.
 */
final class HandlerChain {

	private static final int MAX_PROBES = 2;

	private static final int MAX_LARGE = 256;

	private static final int MAX_OTHERS = 4;

	/**
	 * Additional threads for requests for the prompt that do not wait. The bulkhead
	 * bounds threads, and {@code WaitingCallers} bounds the callers that wait: at its
	 * limit, serving a result in memory or rejecting a caller still needs a thread.
	 */
	private static final int MAX_NOT_WAITING = 64;

	private static final Duration WRITE_DEADLINE = Duration.ofSeconds(20);

	private final GatewayProperties properties;

	private final HeapBudget heap;

	private final ErrorResponseHandler errors;

	HandlerChain(GatewayProperties properties, HeapBudget heap, ErrorResponseHandler errors) {
		this.properties = properties;
		this.heap = heap;
		this.errors = errors;
	}

	/** Returns the handlers in the order in which a request passes through them. */
	List<Handler.Singleton> handlers(Collection<ChainedHandler> added, Collection<Endpoint> endpoints, boolean http2) {
		List<Handler.Singleton> chain = new ArrayList<>();
		if (http2) {
			chain.add(new Http2StreamHandler(heap, errors));
		}
		chain.add(new HeadHandler(errors));
		chain.addAll(at(ChainedHandler.Position.HEADERS, added));
		chain.addAll(at(ChainedHandler.Position.ACCELERATOR, added));
		chain.add(new DefaultCacheControlHandler());
		chain.add(new BodyDrainHandler());
		chain.add(new MethodsHandler());
		chain.addAll(at(ChainedHandler.Position.EVENTS, added));
		chain.add(new BulkheadHandler(bulkheads(), List.copyOf(endpoints), heap, errors));
		chain.add(new NegotiationHandler());
		chain.add(new EmptyResponseHandler(errors));
		chain.add(new SlowReaderHandler(ServerConfiguration.OUTPUT_BUFFER_SIZE, WRITE_DEADLINE));
		chain.add(buffered());
		return chain;
	}

	private static List<Handler.Singleton> at(ChainedHandler.Position position, Collection<ChainedHandler> added) {
		return added.stream()
			.filter(each -> each.position() == position)
			.map(ChainedHandler::handler)
			.filter(Objects::nonNull)
			.toList();
	}

	/**
	 * Creates the handler that aggregates the writes of a response. A small response
	 * becomes a single write, for which {@link SlowReaderHandler} needs no thread.
	 */
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
