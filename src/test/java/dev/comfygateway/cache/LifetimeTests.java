package dev.comfygateway.cache;

import dev.comfygateway.cache.Lifetime.Verdict;
import dev.comfygateway.support.GatewaySettings;
import dev.comfygateway.upstream.UpstreamFailure;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;

class LifetimeTests {

	private final Lifetime lifetime = Lifetime.of(GatewaySettings.with());

	@ParameterizedTest
	@CsvSource({ "PT0S, FRESH", "PT1.999999999S, FRESH", "PT2S, REVALIDATE", "PT4.999999999S, REVALIDATE",
			"PT5S, STALE", "PT31.999999999S, STALE", "PT32S, STALE" })
	void judgeWhenCallerAsksNothingFollowsAge(Duration age, Verdict expected) {
		assertThat(lifetime.judge(age.toNanos(), RequestDirectives.NONE)).isEqualTo(expected);
	}

	@ParameterizedTest
	@CsvSource({ "PT0S, FRESH", "PT0.000000001S, REFRESH_FLOOR", "PT0.499999999S, REFRESH_FLOOR",
			"PT0.5S, REFUSED_BY_CALLER", "PT2S, REFUSED_BY_CALLER", "PT5S, REFUSED_BY_CALLER" })
	void judgeWhenNoCacheIsWantedRefusesFromRefreshFloorOn(Duration age, Verdict expected) {
		assertThat(lifetime.judge(age.toNanos(), maxAge(0))).isEqualTo(expected);
	}

	@ParameterizedTest
	@CsvSource({ "1, PT1S, FRESH", "1, PT1.000000001S, REFUSED_BY_CALLER", "2, PT2S, REVALIDATE", "3, PT3S, REVALIDATE",
			"3, PT3.000000001S, REFUSED_BY_CALLER", "9, PT9S, STALE", "9, PT9.000000001S, REFUSED_BY_CALLER" })
	void judgeWhenMaxAgeIsWantedRefusesWhatIsOlder(long seconds, Duration age, Verdict expected) {
		assertThat(lifetime.judge(age.toNanos(), maxAge(seconds))).isEqualTo(expected);
	}

	@ParameterizedTest
	@CsvSource({ "PT0S", "PT0.000000001S", "PT1S", "PT3S", "PT1H" })
	void judgeWhenFreshForIsZeroIsAlwaysStale(Duration age) {
		Lifetime none = Lifetime.of(GatewaySettings.with("fresh-for=0s"));
		assertThat(none.judge(age.toNanos(), RequestDirectives.NONE)).isEqualTo(Verdict.STALE);
	}

	@Test
	void judgeWhenFreshForIsZeroHasNoRefreshFloor() {
		Lifetime none = Lifetime.of(GatewaySettings.with("fresh-for=0s", "refresh-floor=500ms"));
		assertThat(none.judge(1, maxAge(0))).isEqualTo(Verdict.REFUSED_BY_CALLER);
	}

	@Test
	void judgeWhenStaleWhileRevalidateIsZeroIsStaleAtEndOfFreshness() {
		Lifetime narrow = Lifetime.of(GatewaySettings.with("stale-while-revalidate=0s"));
		assertThat(narrow.judge(Duration.ofSeconds(2).toNanos(), RequestDirectives.NONE)).isEqualTo(Verdict.STALE);
	}

	@ParameterizedTest
	@CsvSource({ "PT0S, true", "PT2S, true", "PT31.999999999S, true", "PT32S, false", "PT1H, false" })
	void servesInsteadWhenFaultEndsAtStaleIfError(Duration age, boolean expected) {
		assertThat(lifetime.servesInstead(failure(Reason.RESPONSE_TIMEOUT), age.toNanos(), RequestDirectives.NONE))
			.isEqualTo(expected);
	}

	@ParameterizedTest
	@CsvSource({ "PT10S, true", "PT10.000000001S, false" })
	void servesInsteadWhenCallerAsksForAgeKeepsToIt(Duration age, boolean expected) {
		assertThat(lifetime.servesInstead(failure(Reason.RESPONSE_TIMEOUT), age.toNanos(), maxAge(10)))
			.isEqualTo(expected);
	}

	@ParameterizedTest
	@CsvSource({ "PT29.999999999S, true", "PT30S, false" })
	void servesInsteadWhenFreshForIsZeroStillServes(Duration age, boolean expected) {
		Lifetime none = Lifetime.of(GatewaySettings.with("fresh-for=0s"));
		assertThat(none.servesInstead(failure(Reason.RESPONSE_TIMEOUT), age.toNanos(), RequestDirectives.NONE))
			.isEqualTo(expected);
	}

	@ParameterizedTest
	@CsvSource({ "fresh-for=2s, stale-if-error=30s, PT32S", "fresh-for=2s, stale-if-error=1s, PT5S",
			"fresh-for=0s, stale-if-error=30s, PT30S", "fresh-for=0s, stale-if-error=1s, PT1S",
			"fresh-for=0s, stale-if-error=0s, PT0S" })
	void isOverWhenNobodyMayBeServedIsTrue(String freshFor, String staleIfError, Duration end) {
		Lifetime bounded = Lifetime.of(GatewaySettings.with(freshFor, staleIfError));
		assertThat(bounded.isOver(end.toNanos() - 1)).isFalse();
		assertThat(bounded.isOver(end.toNanos())).isTrue();
	}

	@ParameterizedTest
	@EnumSource(names = { "UNAUTHORIZED", "FORBIDDEN", "UNEXPECTED_STATUS" })
	void isFaultWhenUpstreamGaveAnswerIsFalse(Reason reason) {
		assertThat(Lifetime.isFault(failure(reason))).isFalse();
	}

	@ParameterizedTest
	@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = { "UNAUTHORIZED", "FORBIDDEN", "UNEXPECTED_STATUS" })
	void isFaultWhenUpstreamFailedIsTrue(Reason reason) {
		assertThat(Lifetime.isFault(failure(reason))).isTrue();
	}

	@ParameterizedTest
	@EnumSource(names = { "UNAUTHORIZED", "FORBIDDEN", "UNEXPECTED_STATUS" })
	void servesInsteadWhenUpstreamGaveAnswerNeverServes(Reason reason) {
		assertThat(lifetime.servesInstead(failure(reason), 0, RequestDirectives.NONE)).isFalse();
	}

	private static RequestDirectives maxAge(long seconds) {
		return new RequestDirectives(Duration.ofSeconds(seconds).toNanos(), false);
	}

	private static UpstreamFailure failure(Reason reason) {
		return new UpstreamFailure(reason, 0, null, null, null, 1);
	}

}
