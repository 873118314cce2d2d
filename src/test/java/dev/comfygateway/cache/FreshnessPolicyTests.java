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

	private final FreshnessPolicy policy = FreshnessPolicy.of(GatewaySettings.with());

	@ParameterizedTest
	@CsvSource({ "PT0S, FRESH", "PT1.999999999S, FRESH", "PT2S, REVALIDATE", "PT4.999999999S, REVALIDATE",
			"PT5S, STALE", "PT31.999999999S, STALE", "PT32S, STALE" })
	void evaluateWhenCallerAsksNothingFollowsAge(Duration age, Freshness expected) {
		assertThat(policy.evaluate(age.toNanos(), RequestDirectives.NONE)).isEqualTo(expected);
	}

	@ParameterizedTest
	@CsvSource({ "PT0S, FRESH", "PT0.000000001S, REFRESH_FLOOR", "PT0.499999999S, REFRESH_FLOOR",
			"PT0.5S, REFUSED_BY_CALLER", "PT2S, REFUSED_BY_CALLER", "PT5S, REFUSED_BY_CALLER" })
	void evaluateWhenNoCacheIsWantedRefusesFromRefreshFloorOn(Duration age, Freshness expected) {
		assertThat(policy.evaluate(age.toNanos(), maxAge(0))).isEqualTo(expected);
	}

	@ParameterizedTest
	@CsvSource({ "1, PT1S, FRESH", "1, PT1.000000001S, REFUSED_BY_CALLER", "2, PT2S, REVALIDATE", "3, PT3S, REVALIDATE",
			"3, PT3.000000001S, REFUSED_BY_CALLER", "9, PT9S, STALE", "9, PT9.000000001S, REFUSED_BY_CALLER" })
	void evaluateWhenMaxAgeIsWantedRefusesWhatIsOlder(long seconds, Duration age, Freshness expected) {
		assertThat(policy.evaluate(age.toNanos(), maxAge(seconds))).isEqualTo(expected);
	}

	@ParameterizedTest
	@CsvSource({ "PT0S", "PT0.000000001S", "PT1S", "PT3S", "PT1H" })
	void evaluateWhenFreshForIsZeroIsAlwaysStale(Duration age) {
		FreshnessPolicy none = FreshnessPolicy.of(GatewaySettings.with("fresh-for=0s"));
		assertThat(none.evaluate(age.toNanos(), RequestDirectives.NONE)).isEqualTo(Freshness.STALE);
	}

	@Test
	void evaluateWhenFreshForIsZeroHasNoRefreshFloor() {
		FreshnessPolicy none = FreshnessPolicy.of(GatewaySettings.with("fresh-for=0s", "refresh-floor=500ms"));
		assertThat(none.evaluate(1, maxAge(0))).isEqualTo(Freshness.REFUSED_BY_CALLER);
	}

	@Test
	void evaluateWhenStaleWhileRevalidateIsZeroIsStaleAtEndOfFreshness() {
		FreshnessPolicy narrow = FreshnessPolicy.of(GatewaySettings.with("stale-while-revalidate=0s"));
		assertThat(narrow.evaluate(Duration.ofSeconds(2).toNanos(), RequestDirectives.NONE)).isEqualTo(Freshness.STALE);
	}

	@ParameterizedTest
	@CsvSource({ "PT0S, true", "PT2S, true", "PT31.999999999S, true", "PT32S, false", "PT1H, false" })
	void mayServeStaleOnErrorWhenFaultEndsAtStaleIfError(Duration age, boolean expected) {
		assertThat(policy.mayServeStaleOnError(failure(Reason.RESPONSE_TIMEOUT), age.toNanos(), RequestDirectives.NONE))
			.isEqualTo(expected);
	}

	@ParameterizedTest
	@CsvSource({ "PT10S, true", "PT10.000000001S, false" })
	void mayServeStaleOnErrorWhenCallerHasMaxAgeRespectsIt(Duration age, boolean expected) {
		assertThat(policy.mayServeStaleOnError(failure(Reason.RESPONSE_TIMEOUT), age.toNanos(), maxAge(10)))
			.isEqualTo(expected);
	}

	@ParameterizedTest
	@CsvSource({ "PT29.999999999S, true", "PT30S, false" })
	void mayServeStaleOnErrorWhenFreshForIsZeroStillServes(Duration age, boolean expected) {
		FreshnessPolicy none = FreshnessPolicy.of(GatewaySettings.with("fresh-for=0s"));
		assertThat(none.mayServeStaleOnError(failure(Reason.RESPONSE_TIMEOUT), age.toNanos(), RequestDirectives.NONE))
			.isEqualTo(expected);
	}

	@ParameterizedTest
	@CsvSource({ "fresh-for=2s, stale-if-error=30s, PT32S", "fresh-for=2s, stale-if-error=1s, PT5S",
			"fresh-for=0s, stale-if-error=30s, PT30S", "fresh-for=0s, stale-if-error=1s, PT1S",
			"fresh-for=0s, stale-if-error=0s, PT0S" })
	void maxAgeIsLongestTimeThatAnybodyMayBeServed(String freshFor, String staleIfError, Duration end) {
		FreshnessPolicy bounded = FreshnessPolicy.of(GatewaySettings.with(freshFor, staleIfError));
		assertThat(bounded.maxAge()).isEqualTo(end.toNanos());
	}

	@ParameterizedTest
	@EnumSource(names = { "UNAUTHORIZED", "FORBIDDEN", "BLOCKED" })
	void isTransientWhenUpstreamGaveAnswerIsFalse(Reason reason) {
		assertThat(FreshnessPolicy.isTransient(failure(reason))).isFalse();
	}

	@ParameterizedTest
	@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = { "UNAUTHORIZED", "FORBIDDEN", "BLOCKED" })
	void isTransientWhenUpstreamFailedIsTrue(Reason reason) {
		assertThat(FreshnessPolicy.isTransient(failure(reason))).isTrue();
	}

	@ParameterizedTest
	@EnumSource(names = { "UNAUTHORIZED", "FORBIDDEN", "BLOCKED" })
	void mayServeStaleOnErrorWhenUpstreamGaveAnswerNeverServes(Reason reason) {
		assertThat(policy.mayServeStaleOnError(failure(reason), 0, RequestDirectives.NONE)).isFalse();
	}

	@ParameterizedTest
	@CsvSource({ "400, false", "402, false", "201, true", "301, true", "404, true", "410, true", "501, true",
			"520, true", "530, true", "999, true" })
	void isTransientWhenStatusIsUnexpectedDependsOnWhetherItIsAboutTheAccount(int status, boolean expected) {
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
