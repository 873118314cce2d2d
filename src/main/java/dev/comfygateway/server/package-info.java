/**
 * Configuration of Jetty on both ports, with its handlers and limits.
 * <ul>
 * <li>Selectors run the handlers that never block, and dispatch other requests to
 * threads. Their number is bounded for each {@link dev.comfygateway.server.Lane}.</li>
 * <li>Every error response has the contract's schema.</li>
 * <li>A caller who does not read occupies no thread during a small response. A response
 * of a servlet has a deadline. Responses of earlier handlers are small, and only the idle
 * timeout applies to them; the event stream has a separate limit.</li>
 * <li>An incomplete request occupies its connection for a bounded time.</li>
 * </ul>
 *
 * <p>
 * The classes by group:
 * <ul>
 * <li>Configuration: {@code ServerConfiguration} and {@code ErrorConfiguration} set up
 * Jetty, {@code ApiConfiguration} declares beans of the callers' port.</li>
 * <li>Contributions of other packages: {@link dev.comfygateway.server.ChainedHandler} and
 * {@link dev.comfygateway.server.Endpoint}; {@code ActuatorPaths} are Spring Boot's.</li>
 * <li>Chain: {@code HandlerChain} lists the handlers in their order.</li>
 * <li>Handlers on the selector's thread: {@code Http2StreamHandler}, {@code HeadHandler},
 * {@code CorsHandler}, {@code DefaultCacheControlHandler}, {@code BodyDrainHandler},
 * {@code MethodsHandler} and {@code BulkheadHandler}.</li>
 * <li>Handlers on a thread that may block: {@code NegotiationHandler},
 * {@code EmptyResponseHandler} and {@code SlowReaderHandler}.</li>
 * <li>Threads: {@link dev.comfygateway.server.Lane} and its {@code Bulkhead}.</li>
 * <li>Requests and responses: {@link dev.comfygateway.server.PreparedResponse},
 * {@code ErrorResponseHandler}, {@link dev.comfygateway.server.Abort}, {@code BodyDrain},
 * {@code WithHeaders} and {@code WithoutBody}.</li>
 * <li>Heap: {@link dev.comfygateway.server.HeapBudget} charges each {@code HeapEstimate},
 * which {@code MeteredConnectionFactory}, {@code MeteredEndPoint}, {@code Http1Meter},
 * {@code IncompleteHead} and {@code HeadSize} measure.</li>
 * <li>Connections: {@code ConnectionShedder}, {@code HeadTimeout} and
 * {@link dev.comfygateway.server.ConnectionShare}.</li>
 * <li>HTTP/2: {@code Http2}, {@code Http2ConnectionFactory}, {@code Http2StreamMeter},
 * {@code Http2BodyDrain}, {@code StalledStreams} and {@code GoAway}.</li>
 * </ul>
 */
@NullMarked
package dev.comfygateway.server;

import org.jspecify.annotations.NullMarked;
