package dev.comfygateway.upstream;

import dev.comfygateway.upstream.UpstreamFailure.Outcome;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.contextpropagation.ObservationThreadLocalAccessor;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.time.InstantSource;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.http.client.HttpClientSettings;
import org.springframework.boot.http.client.HttpRedirects;
import org.springframework.boot.http.client.reactive.ClientHttpConnectorBuilder;
import org.springframework.boot.info.BuildProperties;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.http.HttpHeaders;
import org.springframework.http.InvalidMediaTypeException;
import org.springframework.http.MediaType;
import org.springframework.stereotype.Component;
import org.springframework.web.reactive.function.BodyExtractors;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.ExchangeFunction;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.util.DefaultUriBuilderFactory;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import reactor.util.retry.Retry;

/**
 * Client of Comfy Cloud, and the one place that sends the key. A request is built from
 * nothing, so that no caller's header can travel with it; redirects are not followed,
 * since the JDK's client would hand the key to wherever they lead.
 */
@Component
public class ComfyCloudClient {

	private static final Logger log = LoggerFactory.getLogger(ComfyCloudClient.class);

	// Reactor's name for who hears of errors that come when nobody listens any more
	private static final String DROPPED_ERRORS = "reactor.onErrorDropped.local";

	private static final List<String> CALLERS_WORDS = List.of("tracestate", "baggage");

	static final int LARGEST_BODY = 64 * 1024;

	private static final Duration LONGEST_RETRY_AFTER = Duration.ofMinutes(5);

	private static final Duration RETRY_PAUSE = Duration.ofMillis(50);

	static {
		// By itself the JDK's client sends a GET again when a connection ends without an
		// answer:
		// unseen by the metrics, beside our own retry. Read once, when its classes load.
		System.setProperty("jdk.httpclient.redirects.retrylimit", "1");
	}

	private final WebClient webClient;

	private final ApiKey apiKey;

	private final Duration deadline;

	private final Scheduler scheduler;

	private final InstantSource clock;

	private final MeterRegistry meters;

	private final ObservationRegistry observations;

	private final Map<Outcome, Timer> timers = new EnumMap<>(Outcome.class);

	ComfyCloudClient(WebClient.Builder builder, HttpClientSettings settings, ComfyProperties properties, ApiKey apiKey,
			ObjectProvider<BuildProperties> build, MeterRegistry meters, ObservationRegistry observations,
			Scheduler scheduler, InstantSource clock) {
		BuildProperties built = build.getIfAvailable();
		this.webClient = builder.clientConnector(ClientHttpConnectorBuilder.jdk()
			// One request at a time needs no HTTP/2, and over plain http the JDK's client
			// would ask for it with headers of its own
			.withHttpClientCustomizer(http -> http.version(HttpClient.Version.HTTP_1_1))
			.build(settings.withConnectTimeout(properties.connectTimeout()).withRedirects(HttpRedirects.DONT_FOLLOW)))
			.uriBuilderFactory(uris(properties.baseUrl()))
			.filter(ComfyCloudClient::leaveCallersWordsOut)
			.defaultHeader(HttpHeaders.USER_AGENT, "comfy-gateway/" + (built == null ? "dev" : built.getVersion()))
			.build();
		this.apiKey = apiKey;
		this.deadline = properties.deadline();
		this.scheduler = scheduler;
		this.clock = clock;
		this.meters = meters;
		this.observations = observations;
		for (Outcome outcome : Outcome.values()) {
			timers.put(outcome, timer(outcome, meters));
		}
	}

	private static DefaultUriBuilderFactory uris(String baseUrl) {
		DefaultUriBuilderFactory uris = new DefaultUriBuilderFactory(URI.create(baseUrl).toASCIIString());
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
	 * Asks the upstream. The outcome comes within the deadline and is never an error
	 * signal, but for a bug.
	 */
	public Mono<UpstreamOutcome> fetch() {
		Observation cause = observations.getCurrentObservation();
		return Mono.defer(this::fetchWithCurrentKey)
			// Whose thread asks has other callers to answer
			.subscribeOn(Schedulers.parallel())
			.timeout(deadline, Mono.fromSupplier(() -> UpstreamFailure.of(Reason.RESPONSE_TIMEOUT, keyGeneration())),
					scheduler)
			// The JDK's client raises an error for each request that the deadline ends
			.contextWrite(context -> context.put(DROPPED_ERRORS, (Consumer<Throwable>) ComfyCloudClient::ignore))
			.contextWrite(context -> cause == null ? context : context.put(ObservationThreadLocalAccessor.KEY, cause));
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
	 * Asks the gateway itself, without the key, as it asks the upstream: the first time
	 * takes long, since all that it needs is loaded meanwhile.
	 * @param self address of the gateway that answers with JSON
	 */
	public Mono<UpstreamOutcome> rehearse(URI self) {
		return exchange(webClient.get().uri(self), new ApiKey.Current(0, null)).timeout(deadline, scheduler);
	}

	/** Generation of the key in use; what was learned under another is void. */
	public long keyGeneration() {
		return apiKey.current().generation();
	}

	/**
	 * Whether the key's file cannot be used at present, so that an older key is still in
	 * use.
	 */
	public boolean isKeyUnreadable() {
		return apiKey.isUnreadable();
	}

	/**
	 * An answer to a key that was replaced meanwhile belongs to another account: asks
	 * again.
	 */
	private Mono<UpstreamOutcome> fetchWithCurrentKey() {
		ApiKey.Current key = apiKey.current();
		return attemptTwice(key).flatMap(outcome -> {
			if (outcome instanceof UpstreamFailure failure && failure.reason() == Reason.UNAUTHORIZED) {
				apiKey.look();
			}
			return apiKey.current() == key ? Mono.just(outcome) : fetchWithCurrentKey();
		});
	}

	private Mono<UpstreamOutcome> attemptTwice(ApiKey.Current key) {
		return attempt(key)
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
			case CONNECTION_REFUSED, CONNECTION_TERMINATED, DNS_ERROR, TLS_PROTOCOL_ERROR, TLS_CERTIFICATE_ERROR ->
				true;
			case UNAVAILABLE -> failure.retryAfter() == null;
			case UNAUTHORIZED, FORBIDDEN, RATE_LIMITED, INTERNAL_ERROR, UNEXPECTED_STATUS, INVALID_RESPONSE,
					RESPONSE_INCOMPLETE, PROTOCOL_ERROR, CONNECTION_TIMEOUT, RESPONSE_TIMEOUT ->
				false;
		};
	}

	private Mono<UpstreamOutcome> attempt(ApiKey.Current key) {
		return Mono.defer(() -> {
			Timer.Sample sample = Timer.start(meters);
			// The operators around an attempt also cancel it when it is over
			AtomicBoolean counted = new AtomicBoolean();
			return exchange(key).doOnNext(outcome -> {
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

	private Mono<UpstreamOutcome> exchange(ApiKey.Current key) {
		WebClient.RequestHeadersSpec<?> request = webClient.get().uri("/api/prompt");
		return exchange(key.value() == null ? request : request.header("X-API-Key", key.value()), key);
	}

	private Mono<UpstreamOutcome> exchange(WebClient.RequestHeadersSpec<?> request, ApiKey.Current key) {
		return request.accept(MediaType.APPLICATION_JSON)
			.exchangeToMono(response -> read(response, key))
			.onErrorResume(Exception.class,
					e -> Mono.just(UpstreamFailure.of(Faults.beforeAnswer(e), key.generation())));
	}

	private Mono<UpstreamOutcome> read(ClientResponse response, ApiKey.Current key) {
		int status = response.statusCode().value();
		boolean isJson = isJson(response);
		Mono<byte[]> body = body(response).defaultIfEmpty(new byte[0]);
		if (status == 200) {
			return body.<UpstreamOutcome>map(bytes -> answer(isJson ? bytes : new byte[0], key))
				.onErrorResume(Exception.class,
						e -> Mono.just(UpstreamFailure.of(Faults.inAnswer(e), key.generation())));
		}
		Duration retryAfter = retryAfter(response.headers().asHttpHeaders());
		return body.onErrorReturn(Exception.class, new byte[0])
			.map(bytes -> refusal(status, isJson ? bytes : new byte[0], retryAfter, key));
	}

	/** The body's bytes, whatever its header says that they are. */
	private static Mono<byte[]> body(ClientResponse response) {
		return DataBufferUtils.join(response.body(BodyExtractors.toDataBuffers()), LARGEST_BODY).map(buffer -> {
			byte[] bytes = new byte[buffer.readableByteCount()];
			buffer.read(bytes);
			DataBufferUtils.release(buffer);
			return bytes;
		});
	}

	private static UpstreamOutcome answer(byte[] body, ApiKey.Current key) {
		Optional<PromptInfo> promptInfo = ContractReader.promptInfo(body);
		return promptInfo.<UpstreamOutcome>map(info -> new UpstreamOutcome.Answered(info, key.generation()))
			.orElseGet(() -> UpstreamFailure.of(Reason.INVALID_RESPONSE, key.generation()));
	}

	private static UpstreamOutcome refusal(int status, byte[] body, @Nullable Duration retryAfter, ApiKey.Current key) {
		Reason reason = switch (status) {
			case 401 -> Reason.UNAUTHORIZED;
			case 403 -> Reason.FORBIDDEN;
			case 429 -> Reason.RATE_LIMITED;
			case 500 -> Reason.INTERNAL_ERROR;
			case 502, 503, 504 -> Reason.UNAVAILABLE;
			default -> Reason.UNEXPECTED_STATUS;
		};
		var text = ContractReader.errorText(body, key.value());
		return new UpstreamFailure(reason, status, text.code(), text.message(), retryAfter, key.generation());
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
		return RetryAfter.parse(headers, clock.instant(), LONGEST_RETRY_AFTER);
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
