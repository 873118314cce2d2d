package dev.comfygateway.upstream;

import dev.comfygateway.upstream.UpstreamHttpClientFactory.HandshakeFailures;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import io.micrometer.observation.ObservationRegistry;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.eclipse.jetty.client.HttpClient;
import org.springframework.http.MediaType;
import org.springframework.http.codec.HttpMessageReader;
import org.springframework.http.codec.HttpMessageWriter;
import org.springframework.stereotype.Component;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.ExchangeFunction;
import org.springframework.web.reactive.function.client.ExchangeStrategies;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.reactive.function.client.WebClientRequestException;
import org.springframework.web.util.DefaultUriBuilderFactory;
import reactor.core.publisher.Mono;

/**
 * Client of Comfy Cloud, and the only class that sends the key. A request is built from
 * scratch, so that no header of a caller is forwarded.
 */
@Component
public class ComfyCloudClient {

	private static final List<String> TRACE_STATE_AND_BAGGAGE = List.of("tracestate", "baggage");

	private static final Duration RETRY_PAUSE = Duration.ofMillis(50);

	private final WebClient webClient;

	private final HandshakeFailures handshakes;

	private final ComfyProperties properties;

	private final Optional<String> proxy;

	private final ApiKeySource keySource;

	private final Deadline deadline;

	private final ResponseReader reader;

	private final AttemptTimers timers;

	ComfyCloudClient(WebClient.Builder builder, HttpClient httpClient, ComfyProperties properties,
			ApiKeySource keySource, Deadline deadline, ResponseReader reader, AttemptTimers timers) {
		this.webClient = builder.clientConnector(UpstreamHttpClientFactory.connector(httpClient, properties.url()))
			.uriBuilderFactory(uris(properties.url()))
			.exchangeStrategies(new NoCodecs())
			.filter(ComfyCloudClient::stripTraceStateAndBaggage)
			.build();
		this.handshakes = httpClient.getBean(HandshakeFailures.class);
		this.proxy = UpstreamHttpClientFactory.proxy(httpClient);
		this.properties = properties;
		this.keySource = keySource;
		this.deadline = deadline;
		this.reader = reader;
		this.timers = timers;
	}

	private static DefaultUriBuilderFactory uris(BaseUrl url) {
		DefaultUriBuilderFactory uris = new DefaultUriBuilderFactory(url.uri().toString());
		// The URL is already encoded
		uris.setEncodingMode(DefaultUriBuilderFactory.EncodingMode.NONE);
		return uris;
	}

	/**
	 * Removes {@code tracestate} and {@code baggage}. With W3C propagation, only
	 * {@code traceparent} is propagated to the upstream.
	 */
	private static Mono<ClientResponse> stripTraceStateAndBaggage(ClientRequest request, ExchangeFunction upstream) {
		return upstream.exchange(TRACE_STATE_AND_BAGGAGE.stream().noneMatch(request.headers()::containsHeader) ? request
				: ClientRequest.from(request)
					.headers(headers -> TRACE_STATE_AND_BAGGAGE.forEach(headers::remove))
					.build());
	}

	/**
	 * Fetches the prompt information from the upstream, on a separate thread. The future
	 * completes within the deadline, exceptionally only after an unexpected exception.
	 */
	public CompletableFuture<UpstreamOutcome> fetch() {
		LatestExchange latest = new LatestExchange(handshakes);
		return run(Mono.defer(() -> fetchWithCurrentKey(latest)), latest);
	}

	/**
	 * Sends a warm-up request to this gateway: no key, no metrics. The future completes
	 * when the connection is closed, so that no later request uses it.
	 * @param self address of an endpoint of this gateway that returns JSON
	 */
	CompletableFuture<UpstreamOutcome> warmUp(URI self) {
		LatestExchange latest = new LatestExchange(handshakes);
		WebClient unobserved = webClient.mutate().observationRegistry(ObservationRegistry.NOOP).build();
		return run(Mono.defer(() -> exchange(unobserved.get().uri(self), ApiKey.NONE, latest)), latest)
			.whenComplete((outcome, unexpected) -> latest.closeKeptAlive());
	}

	private CompletableFuture<UpstreamOutcome> run(Mono<UpstreamOutcome> chain, LatestExchange latest) {
		return deadline.run(chain, () -> UpstreamFailure.timeout(keyVersion()), latest::close);
	}

	/** Returns the maximum time of a fetch ({@code comfy.deadline}). */
	public Duration deadline() {
		return deadline.limit();
	}

	/** Returns the account of the key in use. */
	public Account account() {
		ApiKey key = keySource.key();
		return new Account(key.version(), key.fingerprint(properties.baseUrl()));
	}

	/**
	 * Returns a copy of a failure from another replica, without texts that contain a
	 * piece of the key.
	 */
	public UpstreamFailure withoutKey(UpstreamFailure failure) {
		return failure.redact(new KeyDetector(keySource.key().value()));
	}

	/** Returns the host and port of the upstream, for display. */
	public String host() {
		return properties.url().uri().getRawAuthority();
	}

	/**
	 * Returns the host and port of the outbound proxy, for display; empty if no proxy is
	 * used.
	 */
	public Optional<String> proxy() {
		return proxy;
	}

	/** Returns the state of the key file; empty if the key does not come from a file. */
	public Optional<KeyFileState> keyFile() {
		return keySource.file();
	}

	/**
	 * Returns the version of the key in use. Results of another version are discarded.
	 */
	public long keyVersion() {
		return keySource.key().version();
	}

	/**
	 * Fetches, and fetches again if the key changes during the fetch: the new key can
	 * belong to another account.
	 */
	private Mono<UpstreamOutcome> fetchWithCurrentKey(LatestExchange latest) {
		ApiKey key = keySource.key();
		return attemptTwice(key, latest).flatMap(outcome -> {
			if (outcome instanceof UpstreamFailure failure && failure.reason() == Reason.UNAUTHORIZED) {
				keySource.reload();
			}
			return keyVersion() == key.version() ? Mono.just(outcome) : fetchWithCurrentKey(latest);
		});
	}

	private Mono<UpstreamOutcome> attemptTwice(ApiKey key, LatestExchange latest) {
		Mono<UpstreamOutcome> attempt = timers.time(Mono.defer(() -> attempt(key, latest)));
		return attempt.flatMap(outcome -> outcome instanceof UpstreamFailure failure && isWorthRetrying(failure)
				? deadline.pause(RETRY_PAUSE).then(attempt) : Mono.just(outcome));
	}

	private static boolean isWorthRetrying(UpstreamFailure failure) {
		return switch (failure.reason()) {
			case CONNECTION_REFUSED, CONNECTION_TERMINATED -> true;
			case UNAVAILABLE -> failure.retryAfter() == null;
			case UNAUTHORIZED, FORBIDDEN, BLOCKED, RATE_LIMITED, INTERNAL_ERROR, UNEXPECTED_STATUS, INVALID_RESPONSE,
					RESPONSE_INCOMPLETE, PROTOCOL_ERROR, TUNNEL_REFUSED, DNS_ERROR, TLS_PROTOCOL_ERROR,
					TLS_CERTIFICATE_ERROR, CONNECTION_TIMEOUT, RESPONSE_TIMEOUT ->
				false;
		};
	}

	private Mono<UpstreamOutcome> attempt(ApiKey key, LatestExchange latest) {
		WebClient.RequestHeadersSpec<?> request = webClient.get().uri("/api/prompt");
		return exchange(key.value() == null ? request : request.header("X-API-Key", key.value()), key, latest);
	}

	/**
	 * Sends a request once. The connection is kept open only after an answer that follows
	 * the contract: unexpected bytes could follow any other response.
	 */
	private Mono<UpstreamOutcome> exchange(WebClient.RequestHeadersSpec<?> request, ApiKey key, LatestExchange latest) {
		UpstreamExchange exchange = latest.next();
		return request.accept(MediaType.APPLICATION_JSON)
			.httpRequest(exchange::observe)
			.exchangeToMono(response -> reader.read(response, key, exchange))
			.onErrorResume(WebClientRequestException.class,
					e -> Mono.just(unanswered(exchange.cause(e), exchange.reason(e), key)))
			.doOnNext(outcome -> {
				switch (outcome) {
					case UpstreamAnswer answered -> exchange.keepAlive();
					case UpstreamFailure failure -> exchange.close();
				}
			})
			.doOnError(unexpected -> exchange.close())
			.doOnCancel(exchange::close);
	}

	private static UpstreamFailure unanswered(Throwable thrown, Reason reason, ApiKey key) {
		return reason == Reason.TUNNEL_REFUSED
				? new UpstreamFailure(reason, FailureReasons.proxyStatus(thrown), null, null, null, key.version())
				: UpstreamFailure.of(reason, key.version())
					.withDetail(reason == Reason.TLS_CERTIFICATE_ERROR ? FailureReasons.certificate(thrown) : null,
							new KeyDetector(key.value()));
	}

	/**
	 * Strategies without codecs: a request has no body, and the body of a response is
	 * read as bytes. {@code ExchangeStrategies.empty()} would load all codecs, and Netty
	 * with them.
	 */
	private static final class NoCodecs implements ExchangeStrategies {

		@Override
		public List<HttpMessageReader<?>> messageReaders() {
			return List.of();
		}

		@Override
		public List<HttpMessageWriter<?>> messageWriters() {
			return List.of();
		}

	}

}
