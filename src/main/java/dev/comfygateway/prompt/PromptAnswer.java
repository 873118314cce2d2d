package dev.comfygateway.prompt;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.cache.Lookup;
import dev.comfygateway.cache.Snapshot;
import dev.comfygateway.error.ErrorAnswer;
import dev.comfygateway.prompt.PromptMetrics.Result;
import dev.comfygateway.upstream.UpstreamFailure;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.stereotype.Component;

/**
 * Answer to a caller: how what the cache has is dressed in headers. The only rendering
 * there is.
 */
@Component
class PromptAnswer {

	private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

	private final String gatewayName;

	private final String cacheControl;

	private final long freshForSeconds;

	private final PromptMetrics metrics;

	PromptAnswer(GatewayProperties properties, PromptMetrics metrics) {
		this.gatewayName = properties.name();
		this.freshForSeconds = properties.freshFor().toSeconds();
		this.cacheControl = freshForSeconds > 0 ? "max-age=" + freshForSeconds + ", must-revalidate" : "no-cache";
		this.metrics = metrics;
	}

	/** Writes the answer and counts it. */
	Result write(Lookup lookup, HttpServletRequest request, HttpServletResponse response) throws IOException {
		return switch (lookup) {
			case Lookup.Stored stored -> {
				response.setHeader(HttpHeaders.AGE, Long.toString(ageSeconds(stored)));
				yield writeSnapshot(stored.snapshot(), "hit; ttl=" + ttlSeconds(stored) + detail(stored),
						stored.ttl() > 0 ? Result.HIT : Result.STALE, request, response);
			}
			case Lookup.Fetched fetched -> writeSnapshot(
					fetched.snapshot(), "fwd=" + forward(fetched.forward()) + (fetched.collapsed() ? "; collapsed" : "")
							+ "; stored; ttl=" + freshForSeconds,
					fetched.collapsed() ? Result.COLLAPSED : Result.MISS, request, response);
			case Lookup.Failed failed -> {
				ErrorAnswer error = ErrorAnswer.of(failed.failure());
				boolean comeBack = failed.fromCooldown() || error.status() == 429 || error.status() == 503;
				yield writeError(error, comeBack ? failed.retryAfterSeconds() : 0, response);
			}
			case Lookup.NotCached ignored -> writeError(ErrorAnswer.notCached(), 0, response);
			case Lookup.Awaited ignored -> throw new IllegalStateException();
		};
	}

	/** Whether both are written the same way, to the byte. */
	static boolean isSame(Lookup.Stored one, Lookup.Stored other) {
		return one.snapshot() == other.snapshot() && ageSeconds(one) == ageSeconds(other)
				&& ttlSeconds(one) == ttlSeconds(other) && one.detail() == other.detail()
				&& one.failure() == other.failure();
	}

	// Both rounded against the caller: an age up, what is left of freshness down

	private static long ageSeconds(Lookup.Stored stored) {
		return Math.ceilDiv(stored.age(), SECOND);
	}

	private static long ttlSeconds(Lookup.Stored stored) {
		return Math.floorDiv(stored.ttl(), SECOND);
	}

	void writeBug(HttpServletResponse response) throws IOException {
		writeError(ErrorAnswer.bug(), 0, response);
	}

	void writeTooManyWait(HttpServletResponse response) throws IOException {
		writeError(ErrorAnswer.tooManyWait(), 1, response);
	}

	private Result writeError(ErrorAnswer error, long retryAfterSeconds, HttpServletResponse response)
			throws IOException {
		metrics.count(Result.ERROR);
		error.writeTo(response, gatewayName, retryAfterSeconds);
		return Result.ERROR;
	}

	private Result writeSnapshot(Snapshot snapshot, String cacheStatus, Result result, HttpServletRequest request,
			HttpServletResponse response) throws IOException {
		response.setHeader(HttpHeaders.ETAG, snapshot.etag());
		response.setHeader(HttpHeaders.CACHE_CONTROL, cacheControl);
		response.setHeader("Cache-Status", gatewayName + "; " + cacheStatus);
		if (EntityTags.match(request.getHeaders(HttpHeaders.IF_NONE_MATCH), snapshot.etag())) {
			metrics.count(Result.NOT_MODIFIED);
			response.setStatus(HttpServletResponse.SC_NOT_MODIFIED);
			return Result.NOT_MODIFIED;
		}
		metrics.count(result);
		byte[] body = snapshot.body();
		response.setContentType(MediaType.APPLICATION_JSON_VALUE);
		response.setContentLength(body.length);
		response.getOutputStream().write(body);
		return result;
	}

	private static String detail(Lookup.Stored stored) {
		return switch (stored.detail()) {
			case NONE -> "";
			case REFRESH_FLOOR -> "; detail=refresh-floor";
			case REVALIDATING -> "; detail=revalidating";
			case UPSTREAM_FAILURE -> "; detail=" + code(stored.failure());
		};
	}

	private static String code(@Nullable UpstreamFailure failure) {
		return failure == null ? "unknown" : ErrorAnswer.of(failure).code().toLowerCase(Locale.ROOT);
	}

	private static String forward(Lookup.Forward forward) {
		return switch (forward) {
			case URI_MISS -> "uri-miss";
			case STALE -> "stale";
			case REQUEST -> "request";
		};
	}

}
