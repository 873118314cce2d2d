package dev.comfygateway.upstream;

import dev.comfygateway.upstream.UpstreamConnections.HandshakeFailures;
import dev.comfygateway.upstream.UpstreamFailure.Outcome;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.contextpropagation.ObservationThreadLocalAccessor;
import java.net.URI;
import java.time.Duration;
import java.time.InstantSource;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.eclipse.jetty.client.HttpClient;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.info.BuildProperties;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.http.HttpHeaders;
import org.springframework.http.InvalidMediaTypeException;
import org.springframework.http.MediaType;
import org.springframework.http.codec.HttpMessageReader;
import org.springframework.http.codec.HttpMessageWriter;
import org.springframework.stereotype.Component;
import org.springframework.web.reactive.function.BodyExtractors;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.ExchangeFunction;
import org.springframework.web.reactive.function.client.ExchangeStrategies;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.reactive.function.client.WebClientRequestException;
import org.springframework.web.util.DefaultUriBuilderFactory;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import reactor.util.retry.Retry;

/**
 * Client of Comfy Cloud, and the one place that sends the key. A request is built from
 * nothing, so that no caller's header can travel with it.
 */
@Component
public class ComfyCloudClient {

	private static final Logger log = LoggerFactory.getLogger(ComfyCloudClient.class);

	// Reactor's name for who hears of errors that come when nobody listens any more
	private static final String DROPPED_ERRORS = "reactor.onErrorDropped.local";

	private static final List<String> CALLERS_WORDS = List.of("tracestate", "baggage");

	// RFC 9745 and RFC 8594
	private static final List<String> DEPRECATION = List.of("Deprecation", "Sunset");

	static final int MAX_BODY = 64 * 1024;

	private static final Duration MAX_RETRY_AFTER = Duration.ofMinutes(5);

	private static final Duration RETRY_PAUSE = Duration.ofMillis(50);

	private final WebClient webClient;

	private final HandshakeFailures handshakes;

	private final ApiKey apiKey;

	private final Duration deadline;

	private final String baseUrl;

	private final String host;

	private final Optional<String> proxy;

	private final Scheduler scheduler;

	private final InstantSource clock;

	private final MeterRegistry meters;

	private final ObservationRegistry observations;

	private final Map<Outcome, Timer> timers = new EnumMap<>(Outcome.class);

	ComfyCloudClient(WebClient.Builder builder, HttpClient connections, ComfyProperties properties, ApiKey apiKey,
			ObjectProvider<BuildProperties> build, MeterRegistry meters, ObservationRegistry observations,
			Scheduler scheduler, InstantSource clock) {
		BuildProperties built = build.getIfAvailable();
		BaseUrl url = properties.url();
		this.webClient = builder.clientConnector(UpstreamConnections.connector(connections, url))
			.uriBuilderFactory(uris(url))
			.exchangeStrategies(new NoCodecs())
			.filter(ComfyCloudClient::leaveCallersWordsOut)
			.defaultHeader(HttpHeaders.USER_AGENT, "comfy-gateway/" + (built == null ? "dev" : built.getVersion()))
			.build();
		this.handshakes = connections.getBean(HandshakeFailures.class);
		this.apiKey = apiKey;
		this.deadline = properties.deadline();
		this.baseUrl = properties.baseUrl();
		this.host = url.uri().getRawAuthority();
		this.proxy = UpstreamConnections.proxy(connections);
		this.scheduler = scheduler;
		this.clock = clock;
		this.meters = meters;
		this.observations = observations;
		for (Outcome outcome : Outcome.values()) {
			timers.put(outcome, timer(outcome, meters));
		}
	}

	private static DefaultUriBuilderFactory uris(BaseUrl url) {
		DefaultUriBuilderFactory uris = new DefaultUriBuilderFactory(url.uri().toString());
		// It is a URL already, so what is encoded in it stays as it is
		uris.setEncodingMode(DefaultUriBuilderFactory.EncodingMode.NONE);
		return uris;
	}

	private static Timer timer(Outcome outcome, MeterRegistry meters) {
		return Timer.builder("comfy.gateway.upstream.requests")
			.description("Attempts to get an answer from the upstream")
			.tag("outcome", outcome.name().toLowerCase(Locale.ROOT))
			.serviceLevelObjectives(Duration.ofMillis(25), Duration.ofMillis(50), Duration.ofMillis(100),
					Duration.ofMillis(250), Duration.ofMillis(500), Duration.ofSeconds(1), Duration.ofMillis(2500),
					Duration.ofSeconds(10))
			.register(meters);
	}

	/**
	 * Asks the upstream, on another thread than the caller's. The future completes with
	 * an outcome within the deadline, exceptionally only by a bug.
	 */
	public CompletableFuture<UpstreamOutcome> fetch() {
		InFlight inFlight = new InFlight();
		return within(deadline, inFlight, Mono.defer(() -> fetchWithCurrentKey(inFlight)));
	}

	/**
	 * Sends a request and times it out. The timer stands outside of the reactive chain,
	 * since a chain that is broken by an error may never end nor hear of its
	 * cancellation.
	 */
	private CompletableFuture<UpstreamOutcome> within(Duration limit, InFlight inFlight, Mono<UpstreamOutcome> chain) {
		Observation cause = observations.getCurrentObservation();
		CompletableFuture<UpstreamOutcome> result = new CompletableFuture<>();
		Disposable.Swap subscription = Disposables.swap();
		Disposable timer = scheduler.schedule(() -> {
			// Before the clean-up, which may never return
			if (result.complete(UpstreamFailure.of(Reason.RESPONSE_TIMEOUT, keyVersion()))) {
				giveUp(subscription::dispose);
				giveUp(inFlight::close);
			}
		}, limit.toNanos(), TimeUnit.NANOSECONDS);
		CompletableFuture<UpstreamOutcome> done = result.whenComplete((outcome, bug) -> timer.dispose());
		subscription.update(chain.subscribeOn(Schedulers.parallel())
			// A request that the deadline ends can fail when nobody listens any more
			.contextWrite(context -> context.put(DROPPED_ERRORS, (Consumer<Throwable>) ComfyCloudClient::ignore))
			.contextWrite(context -> cause == null ? context : context.put(ObservationThreadLocalAccessor.KEY, cause))
			.subscribe(result::complete, result::completeExceptionally));
		return done;
	}

	/** Ends something that may be broken: the deadline holds all the same. */
	private static void giveUp(Runnable end) {
		try {
			end.run();
		}
		catch (RuntimeException | Error bug) {
			ignore(bug);
		}
	}

	/**
	 * A trace's id may go to the upstream, but not what callers and their systems say
	 * beside it.
	 */
	private static Mono<ClientResponse> leaveCallersWordsOut(ClientRequest request, ExchangeFunction upstream) {
		return upstream.exchange(CALLERS_WORDS.stream().noneMatch(request.headers()::containsHeader) ? request
				: ClientRequest.from(request).headers(headers -> CALLERS_WORDS.forEach(headers::remove)).build());
	}

	private static void ignore(Throwable dropped) {
		log.debug("A request was given up: {}", dropped.getClass().getName());
	}

	/**
	 * Asks the gateway itself, without the key and without being counted, as it asks the
	 * upstream: the first request takes long, since all that it needs is loaded
	 * meanwhile. The future completes when the connection is closed, so that no later
	 * request meets it.
	 * @param self address of the gateway that answers with JSON
	 */
	public CompletableFuture<UpstreamOutcome> warmUp(URI self) {
		InFlight inFlight = new InFlight();
		WebClient uncounted = webClient.mutate().observationRegistry(ObservationRegistry.NOOP).build();
		return within(deadline, inFlight,
				Mono.defer(() -> exchange(uncounted.get().uri(self), new ApiKey.Current(0, null), inFlight)))
			.whenComplete((outcome, bug) -> inFlight.closeKept());
	}

	/** Longest time of a fetch, and of a caller's wait ({@code comfy.deadline}). */
	public Duration deadline() {
		return deadline;
	}

	/** Account that the key in use belongs to. */
	public Account account() {
		ApiKey.Current key = apiKey.current();
		return new Account(key.version(), key.fingerprint(baseUrl));
	}

	/**
	 * A failure that another replica tells of, without texts that hold a piece of the
	 * key.
	 */
	public UpstreamFailure withoutKey(UpstreamFailure failure) {
		return failure.without(new KeyTrace(apiKey.current().value()));
	}

	/** Host and port of the upstream, for people. */
	public String host() {
		return host;
	}

	/** Host and port of the outbound proxy on the way, for people; absent without one. */
	public Optional<String> proxy() {
		return proxy;
	}

	/** State of the key's file; absent where the key does not come from a file. */
	public Optional<KeyFile> keyFile() {
		return apiKey.file();
	}

	/** Version of the key in use; what was learned under another is void. */
	public long keyVersion() {
		return apiKey.current().version();
	}

	/**
	 * An answer to a key that was replaced meanwhile belongs to another account: asks
	 * again.
	 */
	private Mono<UpstreamOutcome> fetchWithCurrentKey(InFlight inFlight) {
		ApiKey.Current key = apiKey.current();
		return attemptTwice(key, inFlight).flatMap(outcome -> {
			if (outcome instanceof UpstreamFailure failure && failure.reason() == Reason.UNAUTHORIZED) {
				apiKey.reload();
			}
			return apiKey.current() == key ? Mono.just(outcome) : fetchWithCurrentKey(inFlight);
		});
	}

	private Mono<UpstreamOutcome> attemptTwice(ApiKey.Current key, InFlight inFlight) {
		return attempt(key, inFlight)
			.flatMap(outcome -> outcome instanceof UpstreamFailure failure && isWorthRetrying(failure)
					? Mono.<UpstreamOutcome>error(new RetryableException(failure)) : Mono.just(outcome))
			.retryWhen(Retry.backoff(1, RETRY_PAUSE)
				.scheduler(scheduler)
				.filter(RetryableException.class::isInstance)
				.onRetryExhaustedThrow((retry, signal) -> signal.failure()))
			.onErrorResume(RetryableException.class, e -> Mono.just(e.failure));
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

	private Mono<UpstreamOutcome> attempt(ApiKey.Current key, InFlight inFlight) {
		return Mono.defer(() -> {
			Timer.Sample sample = Timer.start(meters);
			// The operators around an attempt also cancel it when it is over
			AtomicBoolean counted = new AtomicBoolean();
			return exchange(key, inFlight).doOnNext(outcome -> {
				if (counted.compareAndSet(false, true)) {
					sample.stop(timerOf(outcome));
				}
			}).doOnCancel(() -> {
				if (counted.compareAndSet(false, true)) {
					sample.stop(timerOf(Outcome.TIMEOUT));
				}
			});
		});
	}

	private Timer timerOf(UpstreamOutcome outcome) {
		return timerOf(switch (outcome) {
			case UpstreamOutcome.Answered answered -> Outcome.OK;
			case UpstreamFailure failure -> failure.reason().outcome;
		});
	}

	private Timer timerOf(Outcome outcome) {
		return Objects.requireNonNull(timers.get(outcome));
	}

	private Mono<UpstreamOutcome> exchange(ApiKey.Current key, InFlight inFlight) {
		WebClient.RequestHeadersSpec<?> request = webClient.get().uri("/api/prompt");
		return exchange(key.value() == null ? request : request.header("X-API-Key", key.value()), key, inFlight);
	}

	/**
	 * Sends a request once. Only an answer that follows the contract leaves its
	 * connection open: behind any other could come what nobody asked for.
	 */
	private Mono<UpstreamOutcome> exchange(WebClient.RequestHeadersSpec<?> request, ApiKey.Current key,
			InFlight inFlight) {
		UpstreamExchange exchange = inFlight.next();
		return request.accept(MediaType.APPLICATION_JSON)
			.httpRequest(exchange::observe)
			.exchangeToMono(response -> read(response, key, exchange))
			.onErrorResume(WebClientRequestException.class,
					e -> Mono.just(unanswered(exchange.cause(e), exchange, key)))
			.doOnNext(outcome -> {
				switch (outcome) {
					case UpstreamOutcome.Answered answered -> exchange.keep();
					case UpstreamFailure failure -> exchange.close();
				}
			})
			.doOnError(bug -> exchange.close())
			.doOnCancel(exchange::close);
	}

	private static UpstreamFailure unanswered(Throwable cause, UpstreamExchange exchange, ApiKey.Current key) {
		Reason reason = Faults.reason(cause, exchange.progress());
		return reason == Reason.TUNNEL_REFUSED
				? new UpstreamFailure(reason, Faults.proxyStatus(cause), null, null, null, key.version())
				: UpstreamFailure.of(reason, key.version());
	}

	private Mono<UpstreamOutcome> read(ClientResponse response, ApiKey.Current key, UpstreamExchange exchange) {
		int status = response.statusCode().value();
		boolean isJson = isJson(response);
		Mono<byte[]> body = body(response).defaultIfEmpty(new byte[0]);
		if (status == 200) {
			return body.onErrorMap(UnreadableBodyException::new)
				.map(bytes -> answer(isJson ? bytes : new byte[0], response.headers().asHttpHeaders(), key))
				.onErrorResume(UnreadableBodyException.class,
						e -> Mono.just(UpstreamFailure.of(Faults.inBody(e, exchange.progress()), key.version())));
		}
		Duration retryAfter = retryAfter(response.headers().asHttpHeaders());
		return body.onErrorReturn(new byte[0])
			.map(bytes -> refusal(status, isJson, isJson ? bytes : new byte[0], retryAfter, key));
	}

	/** The body's bytes, whatever its header says that they are. */
	private static Mono<byte[]> body(ClientResponse response) {
		return DataBufferUtils.join(response.body(BodyExtractors.toDataBuffers()), MAX_BODY).map(buffer -> {
			byte[] bytes = new byte[buffer.readableByteCount()];
			buffer.read(bytes);
			DataBufferUtils.release(buffer);
			return bytes;
		});
	}

	private static UpstreamOutcome answer(byte[] body, HttpHeaders headers, ApiKey.Current key) {
		Optional<PromptInfo> promptInfo = ContractReader.promptInfo(body);
		boolean deprecated = DEPRECATION.stream().anyMatch(headers::containsHeader);
		return promptInfo
			.<UpstreamOutcome>map(
					info -> new UpstreamOutcome.Answered(info, Age.parse(headers), deprecated, key.version()))
			.orElseGet(() -> UpstreamFailure.of(Reason.INVALID_RESPONSE, key.version()));
	}

	private static UpstreamOutcome refusal(int status, boolean isJson, byte[] body, @Nullable Duration retryAfter,
			ApiKey.Current key) {
		Reason reason = switch (status) {
			case 401 -> Reason.UNAUTHORIZED;
			case 403 -> isJson && ContractReader.isObject(body) ? Reason.FORBIDDEN : Reason.BLOCKED;
			case 429 -> Reason.RATE_LIMITED;
			case 500 -> Reason.INTERNAL_ERROR;
			case 502, 503, 504 -> Reason.UNAVAILABLE;
			default -> Reason.UNEXPECTED_STATUS;
		};
		var text = ContractReader.errorText(body, key.value());
		return new UpstreamFailure(reason, status, text.code(), text.message(), retryAfter, key.version());
	}

	private static boolean isJson(ClientResponse response) {
		try {
			return response.headers()
				.contentType()
				.filter(MediaType.APPLICATION_JSON::equalsTypeAndSubtype)
				.isPresent();
		}
		catch (InvalidMediaTypeException ignored) {
			return false;
		}
	}

	private @Nullable Duration retryAfter(HttpHeaders headers) {
		return RetryAfter.parse(headers, clock.instant(), MAX_RETRY_AFTER);
	}

	/** No codecs: a request has no body, and the bytes of an answer are read here. */
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

	/** Exchange that a fetch waits for at present, whichever of its attempts it is. */
	private final class InFlight {

		private volatile @Nullable UpstreamExchange current;

		private volatile boolean closed;

		UpstreamExchange next() {
			UpstreamExchange next = new UpstreamExchange(handshakes);
			current = next;
			if (closed) {
				next.close();
			}
			return next;
		}

		void close() {
			closed = true;
			UpstreamExchange open = current;
			if (open != null) {
				open.close();
			}
		}

		/** Closes the connection that an answer left for a next request. */
		void closeKept() {
			UpstreamExchange open = current;
			if (open != null) {
				open.closeKept();
			}
		}

	}

	/** Failure to read a body, told apart from a bug in what is made of it. */
	private static final class UnreadableBodyException extends RuntimeException {

		private static final long serialVersionUID = 1L;

		UnreadableBodyException(Throwable cause) {
			super(null, cause, false, false);
		}

	}

	/**
	 * Carries a failure past Reactor's retry operator, which retries error signals only.
	 */
	private static final class RetryableException extends RuntimeException {

		private static final long serialVersionUID = 1L;

		private final transient UpstreamFailure failure;

		RetryableException(UpstreamFailure failure) {
			super(null, null, false, false);
			this.failure = failure;
		}

	}

}
