package dev.comfygateway.upstream;

import dev.comfygateway.upstream.UpstreamFailure.Reason;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.http.HttpHeaders;
import org.springframework.http.InvalidMediaTypeException;
import org.springframework.http.MediaType;
import org.springframework.stereotype.Component;
import org.springframework.web.reactive.function.BodyExtractors;
import org.springframework.web.reactive.function.client.ClientResponse;
import reactor.core.publisher.Mono;

/** Reader of the upstream's response: status, header fields and body. */
@Component
class ResponseReader {

	private static final int MAX_BODY = 64 * 1024;

	/** Maximum length of a content type in logs. */
	private static final int MAX_CONTENT_TYPE = 60;

	/** Maximum of {@code Age}, which exceeds the lifetime of any answer. */
	private static final long MAX_AGE_SECONDS = 999_999_999;

	private static final Duration MAX_RETRY_AFTER = Duration.ofMinutes(5);

	private final InstantSource clock;

	ResponseReader(InstantSource clock) {
		this.clock = clock;
	}

	/**
	 * Reads a response.
	 * @param key key that the request was sent with; no part of it is passed on
	 */
	Mono<UpstreamOutcome> read(ClientResponse response, ApiKey key, UpstreamExchange exchange) {
		int status = response.statusCode().value();
		HttpHeaders headers = response.headers().asHttpHeaders();
		MediaType type = contentType(response);
		boolean isJson = MediaType.APPLICATION_JSON.equalsTypeAndSubtype(type);
		String detail = isJson ? null : type == null ? "no valid content type" : "content type " + name(type);
		Mono<byte[]> body = body(response).defaultIfEmpty(new byte[0]);
		if (status == 200) {
			return body.materialize().map(signal -> {
				Throwable unreadable = signal.getThrowable();
				UpstreamOutcome outcome = unreadable == null
						? answer(isJson ? Objects.requireNonNull(signal.get()) : new byte[0], headers, key)
						: UpstreamFailure.of(exchange.reason(unreadable), key.version());
				return outcome instanceof UpstreamFailure failure ? explained(failure, detail, key) : outcome;
			});
		}
		Duration retryAfter = RetryAfter.parse(headers, clock.instant(), MAX_RETRY_AFTER);
		return body.onErrorReturn(new byte[0])
			.map(bytes -> explained(failure(status, isJson, isJson ? bytes : new byte[0], retryAfter, key), detail,
					key));
	}

	/** Returns the bytes of the body, regardless of its content type. */
	private static Mono<byte[]> body(ClientResponse response) {
		return DataBufferUtils.join(response.body(BodyExtractors.toDataBuffers()), MAX_BODY).map(buffer -> {
			byte[] bytes = new byte[buffer.readableByteCount()];
			buffer.read(bytes);
			DataBufferUtils.release(buffer);
			return bytes;
		});
	}

	private static UpstreamOutcome answer(byte[] body, HttpHeaders headers, ApiKey key) {
		return ContractReader.promptInfo(body)
			.<UpstreamOutcome>map(
					info -> new UpstreamAnswer(info, age(headers), Deprecation.parse(headers), key.version()))
			.orElseGet(() -> UpstreamFailure.of(Reason.INVALID_RESPONSE, key.version()));
	}

	/** Returns the upstream's {@code Age}; zero if it sent no valid one. */
	private static Duration age(HttpHeaders headers) {
		String age = headers.getFirst(HttpHeaders.AGE);
		long seconds = age == null ? 0 : DeltaSeconds.parse(age).orElse(0);
		return Duration.ofSeconds(Math.min(seconds, MAX_AGE_SECONDS));
	}

	private static UpstreamFailure failure(int status, boolean isJson, byte[] body, @Nullable Duration retryAfter,
			ApiKey key) {
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

	private static UpstreamFailure explained(UpstreamFailure failure, @Nullable String detail, ApiKey key) {
		return detail == null ? failure : failure.withDetail(detail, new KeyDetector(key.value()));
	}

	/** Returns the content type of a response; null if it has no valid one. */
	private static @Nullable MediaType contentType(ClientResponse response) {
		try {
			return response.headers().contentType().orElse(null);
		}
		catch (InvalidMediaTypeException ignored) {
			return null;
		}
	}

	/**
	 * Returns the truncated name of a content type, without its parameters. The name is
	 * untrusted.
	 */
	private static String name(MediaType type) {
		String name = type.getType() + "/" + type.getSubtype();
		return name.substring(0, Math.min(name.length(), MAX_CONTENT_TYPE));
	}

}
