package dev.comfygateway.cache;

import dev.comfygateway.cache.FreshnessPolicy.Freshness;
import dev.comfygateway.support.GatewaySettings;
import dev.comfygateway.upstream.UpstreamFailure;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;

class FreshnessPolicyTests {

	/** Answer that arrived at ticker time 0. */
	private static final Snapshot ANSWER = Snapshots.of(3);

	private final FreshnessPolicy policy = FreshnessPolicy.of(GatewaySettings.with());

	@ParameterizedTest
	@CsvSource({ "PT0S, FRESH", "PT1.999999999S, FRESH", "PT2S, REVALIDATE", "PT4.999999999S, REVALIDATE",
			"PT5S, STALE", "PT31.999999999S, STALE", "PT32S, STALE" })
	void evaluateWhenNoDirectiveIsSentFollowsAge(Duration age, Freshness expected) {
		assertThat(policy.evaluate(ANSWER, age.toNanos(), RequestDirectives.NONE)).isEqualTo(expected);
	}

	@ParameterizedTest
	@CsvSource({ "PT0S, FRESH", "PT0.000000001S, REFRESH_FLOOR", "PT0.499999999S, REFRESH_FLOOR",
			"PT0.5S, REFUSED_BY_CALLER", "PT2S, REFUSED_BY_CALLER", "PT5S, REFUSED_BY_CALLER" })
	void evaluateWhenNoCacheIsRequestedRefusesAfterRefreshFloor(Duration age, Freshness expected) {
		assertThat(policy.evaluate(ANSWER, age.toNanos(), maxAge(0))).isEqualTo(expected);
	}

	@ParameterizedTest
	@CsvSource({ "1, PT1S, FRESH", "1, PT1.000000001S, REFUSED_BY_CALLER", "2, PT2S, REVALIDATE", "3, PT3S, REVALIDATE",
			"3, PT3.000000001S, REFUSED_BY_CALLER", "9, PT9S, STALE", "9, PT9.000000001S, REFUSED_BY_CALLER" })
	void evaluateWhenMaxAgeIsRequestedRefusesOlderAnswers(long seconds, Duration age, Freshness expected) {
		assertThat(policy.evaluate(ANSWER, age.toNanos(), maxAge(seconds))).isEqualTo(expected);
	}

	@ParameterizedTest
	@CsvSource({ "PT0S", "PT0.000000001S", "PT1S", "PT3S", "PT1H" })
	void evaluateWhenFreshForIsZeroIsAlwaysStale(Duration age) {
		FreshnessPolicy none = FreshnessPolicy.of(GatewaySettings.with("fresh-for=0s"));
		assertThat(none.evaluate(ANSWER, age.toNanos(), RequestDirectives.NONE)).isEqualTo(Freshness.STALE);
	}

	@Test
	void evaluateWhenFreshForIsZeroHasNoRefreshFloor() {
		FreshnessPolicy none = FreshnessPolicy.of(GatewaySettings.with("fresh-for=0s", "refresh-floor=500ms"));
		assertThat(none.evaluate(ANSWER, 1, maxAge(0))).isEqualTo(Freshness.REFUSED_BY_CALLER);
	}

	@Test
	void evaluateWhenStaleWhileRevalidateIsZeroIsStaleAtEndOfFreshness() {
		FreshnessPolicy narrow = FreshnessPolicy.of(GatewaySettings.with("stale-while-revalidate=0s"));
		assertThat(narrow.evaluate(ANSWER, Duration.ofSeconds(2).toNanos(), RequestDirectives.NONE))
			.isEqualTo(Freshness.STALE);
	}

	@ParameterizedTest
	@CsvSource({ "PT0S, true", "PT2S, true", "PT31.999999999S, true", "PT32S, false", "PT1H, false" })
	void mayServeStaleOnErrorWhenFailureIsTransientEndsAtStaleIfError(Duration age, boolean expected) {
		assertThat(policy.mayServeStaleOnError(failure(Reason.RESPONSE_TIMEOUT), ANSWER, age.toNanos(),
				RequestDirectives.NONE))
			.isEqualTo(expected);
	}

	@ParameterizedTest
	@CsvSource({ "PT10S, true", "PT10.000000001S, false" })
	void mayServeStaleOnErrorWhenCallerHasMaxAgeRespectsIt(Duration age, boolean expected) {
		assertThat(policy.mayServeStaleOnError(failure(Reason.RESPONSE_TIMEOUT), ANSWER, age.toNanos(), maxAge(10)))
			.isEqualTo(expected);
	}

	@ParameterizedTest
	@CsvSource({ "PT29.999999999S, true", "PT30S, false" })
	void mayServeStaleOnErrorWhenFreshForIsZeroStillServes(Duration age, boolean expected) {
		FreshnessPolicy none = FreshnessPolicy.of(GatewaySettings.with("fresh-for=0s"));
		assertThat(none.mayServeStaleOnError(failure(Reason.RESPONSE_TIMEOUT), ANSWER, age.toNanos(),
				RequestDirectives.NONE))
			.isEqualTo(expected);
	}

	@ParameterizedTest
	@CsvSource({ "fresh-for=2s, stale-if-error=30s, PT32S", "fresh-for=2s, stale-if-error=1s, PT5S",
			"fresh-for=0s, stale-if-error=30s, PT30S", "fresh-for=0s, stale-if-error=1s, PT1S",
			"fresh-for=0s, stale-if-error=0s, PT0S" })
	void remainingLifetimeWhenNothingFailedIsMaximumLifetime(String freshFor, String staleIfError, Duration end) {
		FreshnessPolicy bounded = FreshnessPolicy.of(GatewaySettings.with(freshFor, staleIfError));
		assertThat(bounded.remainingLifetime(ANSWER, 0)).isEqualTo(end.toNanos());
	}

	@ParameterizedTest
	@CsvSource({ "PT0S, PT1.999999999S, FRESH", "PT1H, PT1.999999999S, FRESH", "PT1H, PT2S, REVALIDATE",
			"PT1H, PT4.999999999S, REVALIDATE", "PT1H, PT5S, STALE" })
	void evaluateWhenUpstreamSendsAgeFollowsTimeSinceArrival(Duration ageOnArrival, Duration sinceArrival,
			Freshness expected) {
		assertThat(policy.evaluate(Snapshots.withAge(3, ageOnArrival), sinceArrival.toNanos(), RequestDirectives.NONE))
			.isEqualTo(expected);
	}

	@ParameterizedTest
	@CsvSource({ "0, PT0S, REFRESH_FLOOR", "0, PT0.499999999S, REFRESH_FLOOR", "0, PT0.5S, REFUSED_BY_CALLER",
			"5, PT0.499999999S, REFRESH_FLOOR", "5, PT0.5S, REFUSED_BY_CALLER", "10, PT0S, FRESH", "11, PT1S, FRESH",
			"11, PT1.000000001S, REFUSED_BY_CALLER" })
	void evaluateWhenUpstreamSendsAgeComparesItWithMaxAgeOnly(long maxAge, Duration sinceArrival, Freshness expected) {
		Snapshot aged = Snapshots.withAge(3, Duration.ofSeconds(10));
		assertThat(policy.evaluate(aged, sinceArrival.toNanos(), maxAge(maxAge))).isEqualTo(expected);
	}

	@ParameterizedTest
	@CsvSource({ "PT10S, PT21.999999999S, true", "PT10S, PT22S, false", "PT1H, PT0S, false" })
	void mayServeStaleOnErrorWhenUpstreamSendsAgeIncludesIt(Duration ageOnArrival, Duration sinceArrival,
			boolean expected) {
		assertThat(policy.mayServeStaleOnError(failure(Reason.RESPONSE_TIMEOUT), Snapshots.withAge(3, ageOnArrival),
				sinceArrival.toNanos(), RequestDirectives.NONE))
			.isEqualTo(expected);
	}

	@ParameterizedTest
	@CsvSource({ "PT0S, PT32S", "PT10S, PT22S", "PT30S, PT5S", "PT1H, PT5S" })
	void remainingLifetimeWhenUpstreamSendsAgeIsLaterOfBothBounds(Duration ageOnArrival, Duration expected) {
		assertThat(policy.remainingLifetime(Snapshots.withAge(3, ageOnArrival), 0)).isEqualTo(expected.toNanos());
	}

	@ParameterizedTest
	@CsvSource({ "3s, 1s, PT3S", "3s, 30s, PT32S", "1h, 30s, PT32S", "1h, 0s, PT2S" })
	void remainingLifetimeAfterFailureIsBoundedByStaleIfErrorOnly(String staleWhileRevalidate, String staleIfError,
			Duration expected) {
		FreshnessPolicy bounded = FreshnessPolicy.of(GatewaySettings
			.with("stale-while-revalidate=" + staleWhileRevalidate, "stale-if-error=" + staleIfError));
		assertThat(bounded.remainingLifetime(ANSWER, 0, failure(Reason.RESPONSE_TIMEOUT)))
			.isEqualTo(expected.toNanos());
		assertThat(bounded.remainingLifetime(ANSWER, 0, failure(Reason.UNAUTHORIZED))).isZero();
	}

	@ParameterizedTest
	@EnumSource(names = { "UNAUTHORIZED", "FORBIDDEN" })
	void isTransientWhenKeyIsRefusedIsFalse(Reason reason) {
		assertThat(FreshnessPolicy.isTransient(failure(reason))).isFalse();
	}

	@ParameterizedTest
	@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = { "UNAUTHORIZED", "FORBIDDEN" })
	void isTransientWhenKeyIsNotRefusedIsTrue(Reason reason) {
		assertThat(FreshnessPolicy.isTransient(failure(reason))).isTrue();
	}

	@ParameterizedTest
	@EnumSource(names = { "UNAUTHORIZED", "FORBIDDEN" })
	void mayServeStaleOnErrorWhenKeyIsRefusedIsFalse(Reason reason) {
		assertThat(policy.mayServeStaleOnError(failure(reason), ANSWER, 0, RequestDirectives.NONE)).isFalse();
	}

	@ParameterizedTest
	@CsvSource({ "400, false", "402, false", "201, true", "301, true", "404, true", "410, true", "501, true",
			"520, true", "530, true", "999, true" })
	void isTransientWhenStatusIsUnexpectedDependsOnStatus(int status, boolean expected) {
		assertThat(
				FreshnessPolicy.isTransient(new UpstreamFailure(Reason.UNEXPECTED_STATUS, status, null, null, null, 1)))
			.isEqualTo(expected);
	}

	private static RequestDirectives maxAge(long seconds) {
		return new RequestDirectives(Duration.ofSeconds(seconds).toNanos(), false);
	}

	private static UpstreamFailure failure(Reason reason) {
		return new UpstreamFailure(reason, 0, null, null, null, 1);
	}

}
