package dev.comfygateway.cache;

import dev.comfygateway.GatewayProperties;
import dev.comfygateway.support.GatewaySettings;
import dev.comfygateway.upstream.UpstreamFailure;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class CooldownTests {

	/** Ticker value just before the overflow. */
	private static final long NOW = Long.MAX_VALUE - 1;

	private static final RandomGenerator MIN_JITTER = () -> 0;

	private static final RandomGenerator NO_JITTER = () -> Long.MIN_VALUE;

	private static final RandomGenerator MAX_JITTER = () -> -1;

	private final GatewayProperties properties = GatewaySettings.with();

	@Test
	void afterWhenFailuresAreConsecutiveDoublesUpToMaximum() {
		List<Long> seconds = new ArrayList<>();
		Cooldown previous = null;
		for (int i = 0; i < 8; i++) {
			previous = after(failure(Reason.RESPONSE_TIMEOUT), previous, NO_JITTER);
			seconds.add(pause(previous).toSeconds());
		}
		assertThat(seconds).containsExactly(1L, 2L, 4L, 8L, 16L, 30L, 30L, 30L);
	}

	@Test
	void afterWhenJitterIsMinimumIsAFifthShorter() {
		assertThat(pause(after(failure(Reason.RESPONSE_TIMEOUT), null, MIN_JITTER))).isEqualTo(Duration.ofMillis(800));
	}

	@Test
	void afterWhenJitterIsMaximumIsAFifthLonger() {
		assertThat(pause(after(failure(Reason.RESPONSE_TIMEOUT), null, MAX_JITTER)).toNanos())
			.isCloseTo(Duration.ofMillis(1200).toNanos(), within(1L));
	}

	@Test
	void afterWhenJitteredDoublesIntervalWithoutJitter() {
		Cooldown first = after(failure(Reason.RESPONSE_TIMEOUT), null, MAX_JITTER);
		assertThat(pause(after(failure(Reason.RESPONSE_TIMEOUT), first, NO_JITTER))).isEqualTo(Duration.ofSeconds(2));
	}

	@Test
	void afterWhenRetryAfterIsLongerUsesIt() {
		Cooldown cooldown = after(failure(Reason.RATE_LIMITED, Duration.ofMinutes(5)), null, NO_JITTER);
		assertThat(pause(cooldown)).isEqualTo(Duration.ofMinutes(5));
	}

	@Test
	void afterWhenRetryAfterIsShorterIgnoresIt() {
		Cooldown cooldown = after(failure(Reason.RATE_LIMITED, Duration.ZERO), null, NO_JITTER);
		assertThat(pause(cooldown)).isEqualTo(Duration.ofSeconds(1));
	}

	@Test
	void afterWhenRetryAfterWasLongDoublesOwnInterval() {
		Cooldown first = after(failure(Reason.RATE_LIMITED, Duration.ofMinutes(5)), null, NO_JITTER);
		assertThat(pause(after(failure(Reason.RATE_LIMITED), first, NO_JITTER))).isEqualTo(Duration.ofSeconds(2));
	}

	@ParameterizedTest
	@EnumSource(names = { "UNAUTHORIZED", "FORBIDDEN" })
	void afterWhenKeyIsRefusedStartsAtMaximum(Reason reason) {
		assertThat(pause(after(failure(reason), null, NO_JITTER))).isEqualTo(Duration.ofSeconds(30));
	}

	@Test
	void afterWhenFailureFollowsRefusedKeyKeepsKeyRefused() {
		Cooldown refused = after(failure(Reason.UNAUTHORIZED), null, NO_JITTER);
		assertThat(after(failure(Reason.RESPONSE_TIMEOUT), refused, NO_JITTER).keyRefused()).isTrue();
	}

	@Test
	void afterWhenKeyWasNotRefusedHasKeyRefusedFalse() {
		assertThat(after(failure(Reason.RESPONSE_TIMEOUT), null, NO_JITTER).keyRefused()).isFalse();
	}

	@ParameterizedTest
	@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = { "UNAUTHORIZED", "FORBIDDEN" })
	void afterWhenKeyIsNotRefusedStartsAtMinimum(Reason reason) {
		Cooldown cooldown = after(failure(reason), null, NO_JITTER);
		assertThat(pause(cooldown)).isEqualTo(Duration.ofSeconds(1));
		assertThat(cooldown.keyRefused()).isFalse();
	}

	@Test
	void afterWhenFailuresAreConsecutiveCountsThem() {
		Cooldown first = after(failure(Reason.UNAVAILABLE), null, NO_JITTER);
		Cooldown second = Cooldown.after(failure(Reason.DNS_ERROR), first, properties, NO_JITTER, NOW + 5);
		assertThat(second.firstFailureNanos()).isEqualTo(NOW);
		assertThat(second.failures()).isEqualTo(2);
	}

	@Test
	void isExpiredWhenUntilIsNotReachedIsFalse() {
		Cooldown cooldown = after(failure(Reason.RESPONSE_TIMEOUT), null, NO_JITTER);
		assertThat(cooldown.isExpired(cooldown.untilNanos() - 1)).isFalse();
	}

	@Test
	void isExpiredWhenUntilIsReachedIsTrue() {
		Cooldown cooldown = after(failure(Reason.RESPONSE_TIMEOUT), null, NO_JITTER);
		assertThat(cooldown.isExpired(cooldown.untilNanos())).isTrue();
	}

	@ParameterizedTest
	@CsvSource({ "PT0S, 30", "PT0.000000001S, 30", "PT1S, 29", "PT29S, 1", "PT29.999999999S, 1", "PT30S, 1",
			"PT31S, 1" })
	void retryAfterSecondsWhenTimePassesIsRoundedUpAndAtLeastOne(Duration passed, long expected) {
		Cooldown cooldown = after(failure(Reason.UNAUTHORIZED), null, NO_JITTER);
		assertThat(cooldown.retryAfterSeconds(NOW + passed.toNanos())).isEqualTo(expected);
	}

	private Cooldown after(UpstreamFailure failure, @Nullable Cooldown previous, RandomGenerator random) {
		return Cooldown.after(failure, previous, properties, random, NOW);
	}

	private static Duration pause(Cooldown cooldown) {
		return Duration.ofNanos(cooldown.untilNanos() - NOW);
	}

	private static UpstreamFailure failure(Reason reason) {
		return failure(reason, null);
	}

	private static UpstreamFailure failure(Reason reason, @Nullable Duration retryAfter) {
		return new UpstreamFailure(reason, 0, null, null, retryAfter, 1);
	}

}
