package dev.comfygateway;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Settings of the cache, of callers and of the gateway's name.
 *
 * @param name name of the gateway in {@code Cache-Status} and {@code Proxy-Status}; a
 * letter followed by up to 63 letters, digits, {@code .}, {@code _} or {@code -}
 * @param freshFor time for which an answer is served without an upstream request; up to 5
 * minutes; if it is 0, every caller waits for a new answer
 * @param staleWhileRevalidate time after freshness in which the old answer is still
 * served while one refresh runs in the background; up to 1 hour
 * @param staleIfError time after freshness in which the old answer is served if the
 * upstream fails; up to 24 hours
 * @param refreshFloor time since arrival below which an answer is served regardless of
 * the caller's {@code Cache-Control}; limits the upstream requests that callers can
 * cause; at most {@code freshFor}; by default 500 ms, or {@code freshFor} if that is
 * less; ignored if {@code freshFor} is 0
 * @param cooldown time without upstream requests after a first failure; doubles with each
 * consecutive failure; at least 100 ms
 * @param maxCooldown maximum cool-down, and the first cool-down after a refused key; at
 * most 15 minutes
 * @param maxWaiting maximum number of callers that wait for an answer at the same time; 1
 * to 100,000; any further caller gets 503
 * @param allowedOrigins web origins whose pages may read {@code /api/prompt}, its stream
 * and its history; {@code *} allows all; if empty, no CORS header is sent
 * @param fleet how replicas share answers and cool-downs
 * @param events the stream {@code /api/prompt/events}
 * @param page the page {@code /} and the history {@code /api/prompt/history}
 */
@ConfigurationProperties(prefix = "gateway", ignoreUnknownFields = false)
public record GatewayProperties(@DefaultValue("comfy-gateway") String name, @DefaultValue("2s") Duration freshFor,
		@DefaultValue("3s") Duration staleWhileRevalidate, @DefaultValue("30s") Duration staleIfError,
		@Nullable Duration refreshFloor, @DefaultValue("1s") Duration cooldown,
		@DefaultValue("30s") Duration maxCooldown, @DefaultValue("1000") int maxWaiting,
		@DefaultValue List<String> allowedOrigins, @DefaultValue("none") FleetType fleet, @DefaultValue Events events,
		@DefaultValue Page page) {

	private static final Pattern HTTP_TOKEN = Pattern.compile("[A-Za-z][A-Za-z0-9._-]{0,63}");

	private static final Pattern ORIGIN = Pattern.compile("\\*|https?://[A-Za-z0-9._:\\[\\]-]+");

	private static final Duration DEFAULT_REFRESH_FLOOR = Duration.ofMillis(500);

	private static final int MAX_CALLERS = 100_000;

	/** Maximum of {@code gateway.max-cooldown}. */
	public static final Duration MAX_COOLDOWN = Duration.ofMinutes(15);

	/** How replicas share answers and cool-downs. */
	public enum FleetType {

		/** Replicas share nothing. */
		NONE,
		/**
		 * Replicas share through Redis or Valkey, configured by
		 * {@code spring.data.redis.*}.
		 */
		REDIS

	}

	/**
	 * Settings of the stream {@code /api/prompt/events}.
	 *
	 * @param maxListeners maximum number of callers that listen at the same time; 1 to
	 * 100,000; any further caller gets 503
	 */
	public record Events(@DefaultValue("5000") int maxListeners) {

		public Events {
			requireCallers("gateway.events.max-listeners", maxListeners);
		}
	}

	/**
	 * Settings of the web page.
	 *
	 * @param enabled whether the page and the history of the last hour are served
	 */
	public record Page(@DefaultValue("true") boolean enabled) {
	}

	public GatewayProperties {
		if (!HTTP_TOKEN.matcher(name).matches()) {
			throw new InvalidSettingException("gateway.name", "is not a name that HTTP headers can carry",
					"Use a letter followed by up to 63 letters, digits, '.', '_' or '-'.");
		}
		DurationSetting.requireBetween("gateway.fresh-for", freshFor, Duration.ZERO, Duration.ofMinutes(5));
		DurationSetting.requireBetween("gateway.stale-while-revalidate", staleWhileRevalidate, Duration.ZERO,
				Duration.ofHours(1));
		DurationSetting.requireBetween("gateway.stale-if-error", staleIfError, Duration.ZERO, Duration.ofHours(24));
		refreshFloor = refreshFloor(refreshFloor, freshFor);
		DurationSetting.requireBetween("gateway.max-cooldown", maxCooldown, Duration.ofMillis(100), MAX_COOLDOWN);
		DurationSetting.requireBetween("gateway.cooldown", cooldown, Duration.ofMillis(100), maxCooldown);
		requireCallers("gateway.max-waiting", maxWaiting);
		for (String origin : allowedOrigins) {
			if (!ORIGIN.matcher(origin).matches() || (origin.equals("*") && allowedOrigins.size() > 1)) {
				throw new InvalidSettingException("gateway.allowed-origins",
						"contains an entry that is not a web origin",
						"Use entries such as https://dashboard.example.com (no path, no trailing slash), or"
								+ " * alone.");
			}
		}
		allowedOrigins = List.copyOf(allowedOrigins);
	}

	private static void requireCallers(String setting, int callers) {
		if (callers < 1 || callers > MAX_CALLERS) {
			throw new InvalidSettingException(setting, "is %s, which is out of bounds".formatted(callers),
					"Set it to a number of callers from 1 to %s.".formatted(MAX_CALLERS));
		}
	}

	private static Duration refreshFloor(@Nullable Duration configured, Duration freshFor) {
		if (configured == null) {
			return freshFor.compareTo(DEFAULT_REFRESH_FLOOR) < 0 ? freshFor : DEFAULT_REFRESH_FLOOR;
		}
		if (freshFor.isZero()) {
			DurationSetting.requireBetween("gateway.refresh-floor", configured, Duration.ZERO, Duration.ofMinutes(5));
			return Duration.ZERO;
		}
		DurationSetting.requireBetween("gateway.refresh-floor", configured, Duration.ZERO, freshFor);
		return configured;
	}

	@Override
	public Duration refreshFloor() {
		// The constructor sets a default
		return Objects.requireNonNull(refreshFloor);
	}
}
