package dev.comfygateway.prompt;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.cache.Lookup;
import dev.comfygateway.cache.Snapshot;
import dev.comfygateway.error.GatewayError;
import dev.comfygateway.upstream.UpstreamFailure;
import dev.comfygateway.prompt.PromptMetrics.Result;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ETag;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.stereotype.Component;

/**
 * Renderer of lookups: status, header fields and body. Used by the controller and by the
 * accelerator.
 */
@Component
class PromptRenderer {

	private static final String CACHE_STATUS = "Cache-Status";

	private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

	private final String gatewayName;

	private final String cacheControl;

	PromptRenderer(GatewayProperties properties) {
		this.gatewayName = properties.name();
		long freshForSeconds = properties.freshFor().toSeconds();
		this.cacheControl = freshForSeconds > 0 ? "max-age=" + freshForSeconds : "no-cache";
	}

	/**
	 * Renders a lookup.
	 * @param ifNoneMatch the lines of the caller's {@code If-None-Match}
	 */
	ResponseEntity<byte[]> render(Lookup lookup, List<String> ifNoneMatch) {
		return switch (lookup) {
			case Lookup.Stored stored ->
				render(stored.snapshot(), "hit; ttl=" + ttlSeconds(stored.ttl()) + detail(stored),
						Long.toString(ageSeconds(stored.age())), ifNoneMatch);
			case Lookup.Fetched fetched -> render(fetched.snapshot(),
					"fwd=" + forward(fetched.forward()) + (fetched.collapsed() ? "; collapsed" : "") + "; stored; ttl="
							+ ttlSeconds(fetched.ttl()) + (fetched.shared() ? "; detail=fleet" : ""),
					fetched.age() == 0 ? null : Long.toString(ageSeconds(fetched.age())), ifNoneMatch);
			case Lookup.Failed failed ->
				GatewayError.of(failed.failure()).render(gatewayName, failed.retryAfterSeconds());
			case Lookup.NotCached ignored -> GatewayError.notCached().render(gatewayName, 0);
			case Lookup.Awaited ignored -> throw new IllegalStateException("Nothing to render yet");
		};
	}

	/**
	 * Renders the response to a caller if {@code gateway.max-waiting} callers already
	 * wait.
	 */
	ResponseEntity<byte[]> tooManyWaiting() {
		return GatewayError.tooManyWaiting().render(gatewayName, 1);
	}

	/** Renders the response for an unexpected exception in the gateway. */
	ResponseEntity<byte[]> bug() {
		return GatewayError.bug().render(gatewayName, 0);
	}

	private ResponseEntity<byte[]> render(Snapshot snapshot, String cacheStatus, @Nullable String age,
			List<String> ifNoneMatch) {
		boolean matches = matches(ifNoneMatch, snapshot.etag());
		// The fields are in the order in which Spring MVC writes them
		ResponseEntity.BodyBuilder answer = ResponseEntity.status(matches ? HttpStatus.NOT_MODIFIED : HttpStatus.OK)
			.header(HttpHeaders.CACHE_CONTROL, cacheControl)
			.header(CACHE_STATUS, gatewayName + "; " + cacheStatus);
		if (age != null) {
			answer.header(HttpHeaders.AGE, age);
		}
		if (matches) {
			return answer.eTag(snapshot.etag()).build();
		}
		byte[] body = snapshot.body();
		return answer.contentType(MediaType.APPLICATION_JSON)
			.eTag(snapshot.etag())
			.contentLength(body.length)
			.body(body);
	}

	/** Returns the result that the request is counted as. */
	static Result result(Lookup lookup) {
		return switch (lookup) {
			case Lookup.Stored stored -> stored.ttl() > 0 ? Result.HIT : Result.STALE;
			case Lookup.Fetched fetched -> fetched.collapsed() ? Result.COLLAPSED : Result.MISS;
			case Lookup.Failed ignored -> Result.ERROR;
			case Lookup.NotCached ignored -> Result.ERROR;
			case Lookup.Awaited ignored -> throw new IllegalStateException("Nothing to count yet");
		};
	}

	/** Returns whether both lookups are rendered identically, byte for byte. */
	static boolean rendersSame(Lookup one, Lookup other) {
		return switch (one) {
			case Lookup.Stored stored -> other instanceof Lookup.Stored next && stored.snapshot() == next.snapshot()
					&& ageSeconds(stored.age()) == ageSeconds(next.age())
					&& ttlSeconds(stored.ttl()) == ttlSeconds(next.ttl()) && stored.detail() == next.detail()
					&& stored.failure() == next.failure();
			case Lookup.Fetched fetched -> other instanceof Lookup.Fetched next && fetched.snapshot() == next.snapshot()
					&& fetched.forward() == next.forward() && fetched.collapsed() == next.collapsed()
					&& fetched.shared() == next.shared() && ageSeconds(fetched.age()) == ageSeconds(next.age())
					&& ttlSeconds(fetched.ttl()) == ttlSeconds(next.ttl());
			case Lookup.Failed failed -> other instanceof Lookup.Failed next && failed.failure() == next.failure()
					&& failed.retryAfterSeconds() == next.retryAfterSeconds();
			default -> false;
		};
	}

	/**
	 * Returns whether {@code If-None-Match} matches the entity tag (RFC 9110 section
	 * 13.1.2).
	 */
	private static boolean matches(List<String> ifNoneMatch, String etag) {
		ETag current = ETag.create(etag);
		return ifNoneMatch.stream()
			.flatMap(field -> ETag.parse(field).stream())
			.anyMatch(tag -> tag.isWildcard() || tag.compare(current, false));
	}

	// Age is rounded up and ttl down, so that no answer appears fresher than it is

	private static long ageSeconds(long age) {
		return Math.ceilDiv(age, SECOND);
	}

	private static long ttlSeconds(long ttl) {
		return Math.floorDiv(ttl, SECOND);
	}

	private static String detail(Lookup.Stored stored) {
		return switch (stored.detail()) {
			case NONE -> "";
			case REFRESH_FLOOR -> "; detail=refresh-floor";
			case REVALIDATING -> "; detail=revalidating";
			case UPSTREAM_FAILURE -> "; detail=" + code(Objects.requireNonNull(stored.failure()));
		};
	}

	private static String code(UpstreamFailure failure) {
		return GatewayError.of(failure).code().toLowerCase(Locale.ROOT);
	}

	private static String forward(Lookup.Forward forward) {
		return switch (forward) {
			case URI_MISS -> "uri-miss";
			case STALE -> "stale";
			case REQUEST -> "request";
		};
	}

}
