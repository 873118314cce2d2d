package dev.comfygateway.page;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.cache.PromptCache;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.headers.Header;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.core.io.ClassPathResource;
import org.springframework.core.io.Resource;
import org.springframework.http.CacheControl;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** Controller of the page, of the history, and of the status that the page shows. */
@RestController
@ConditionalOnBooleanProperty(name = PageConfiguration.ENABLED, matchIfMissing = true)
class PageController {

	static final String HISTORY = "/api/prompt/history";

	private static final Resource PAGE = new ClassPathResource("page/index.html");

	private final HistoryRecorder recorder;

	private final PromptCache cache;

	private final MeterRegistry meters;

	private final InstantSource clock;

	private final Duration freshFor;

	private volatile @Nullable String pod;

	PageController(HistoryRecorder recorder, PromptCache cache, MeterRegistry meters, InstantSource clock,
			GatewayProperties properties) {
		this.freshFor = properties.freshFor();
		this.recorder = recorder;
		this.cache = cache;
		this.meters = meters;
		this.clock = clock;
	}

	@GetMapping("/")
	ResponseEntity<Resource> page() {
		return ResponseEntity.ok()
			.cacheControl(CacheControl.noCache())
			.eTag(PageConfiguration.etag(PAGE))
			.contentType(MediaType.TEXT_HTML)
			.body(PAGE);
	}

	@Operation(summary = "Get the queue length over the last hour",
			description = "Returns what this replica observed in each 15 s of the last hour, oldest first. Sends no"
					+ " request to the upstream.")
	@ApiResponse(responseCode = "200", description = "Success",
			headers = @Header(name = "Cache-Control", description = "Time for which the response is fresh",
					required = true, schema = @Schema(type = "string"), example = "max-age=15"),
			content = @Content(mediaType = "application/json", schema = @Schema(implementation = PromptHistory.class)))
	@GetMapping(HISTORY)
	ResponseEntity<PromptHistory> getPromptHistory() {
		return ResponseEntity.ok()
			.cacheControl(CacheControl.maxAge(HistoryRecorder.INTERVAL))
			.contentType(MediaType.APPLICATION_JSON)
			.body(recorder.history());
	}

	@GetMapping("/page/status.json")
	ResponseEntity<PageStatus> status() {
		return ResponseEntity.ok()
			.cacheControl(CacheControl.noStore())
			.contentType(MediaType.APPLICATION_JSON)
			.body(PageStatus.of(cache.status(), clock.instant(), pod(), freshFor, requests(), upstreamRequests()));
	}

	/** Returns the number of requests for the prompt, without rejected ones. */
	private long requests() {
		return (long) meters.find("comfy.gateway.requests")
			.counters()
			.stream()
			.filter(counter -> !"rejected".equals(counter.getId().getTag("result")))
			.mapToDouble(Counter::count)
			.sum();
	}

	private long upstreamRequests() {
		return meters.find("comfy.gateway.upstream.requests").timers().stream().mapToLong(Timer::count).sum();
	}

	/** Returns the name of the pod, which is the host name of its container. */
	private String pod() {
		String known = pod;
		if (known == null) {
			known = hostName();
			pod = known;
		}
		return known;
	}

	private static String hostName() {
		String variable = System.getenv("HOSTNAME");
		if (variable != null && !variable.isBlank()) {
			return variable;
		}
		try {
			return InetAddress.getLocalHost().getHostName();
		}
		catch (UnknownHostException ignored) {
			return "unknown";
		}
	}

}
