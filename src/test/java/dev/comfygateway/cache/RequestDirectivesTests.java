package dev.comfygateway.cache;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

class RequestDirectivesTests {

	private static final RequestDirectives NO_CACHE = new RequestDirectives(0, false);

	@Test
	void ofWhenHeadersAreAbsentIsNone() {
		assertThat(of(null)).isEqualTo(RequestDirectives.NONE);
	}

	@ParameterizedTest
	@ValueSource(strings = { "no-cache", "NO-CACHE", "No-Cache", " \tno-cache ", "foo, no-cache", ",,no-cache,",
			"max-age=60, no-cache", "no-cache, max-age=60", "max-age=0", "MAX-AGE=0", "max-age=\"0\"", "max-age=000",
			"max-age=0000000000" })
	void ofWhenNoCacheOrMaxAgeZeroIsNoCache(String cacheControl) {
		assertThat(of(null, cacheControl)).isEqualTo(NO_CACHE);
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', quoteCharacter = '\'', textBlock = """
			max-age=1                       | 1
			Max-Age=60                      | 60
			max-age="60"                    | 60
			max-age=999999999               | 999999999
			max-age=10, max-age=5           | 5
			max-age=5, max-age=10           | 5
			max-age=5, max-age=x            | 5
			foo="a, max-age=1", max-age=5   | 5
			foo="a\\", max-age=1", max-age=5 | 5
			foo="", max-age=5               | 5
			""")
	void ofWhenMaxAgeIsSentHasIt(String cacheControl, long seconds) {
		assertThat(of(null, cacheControl).maxAgeNanos()).isEqualTo(Duration.ofSeconds(seconds).toNanos());
	}

	@ParameterizedTest
	@ValueSource(strings = { "only-if-cached", "Only-If-Cached", "foo, only-if-cached" })
	void ofWhenOnlyIfCachedHasIt(String cacheControl) {
		assertThat(of(null, cacheControl)).isEqualTo(new RequestDirectives(Long.MAX_VALUE, true));
	}

	@Test
	void ofWhenOnlyIfCachedAndMaxAgeHasBoth() {
		assertThat(of(null, "max-age=1, only-if-cached"))
			.isEqualTo(new RequestDirectives(Duration.ofSeconds(1).toNanos(), true));
	}

	@Test
	void ofWhenDirectivesAreOnSeveralLinesReadsAll() {
		assertThat(of(null, "foo", "max-age=9, bar", "only-if-cached"))
			.isEqualTo(new RequestDirectives(Duration.ofSeconds(9).toNanos(), true));
	}

	@Test
	void ofWhenQuoteIsUnterminatedEndsWithItsLine() {
		assertThat(of(null, "foo=\"a", "no-cache")).isEqualTo(NO_CACHE);
	}

	@ParameterizedTest
	@ValueSource(strings = { "", " ", ",", ",,", "=", "=no-cache", "\"no-cache\"", "no-cache=foo", "no-cache=\"\"",
			"no-cache=", "no cache", "no-cache;max-age=0", "xno-cache", "no-cachex", "max-age", "max-age=",
			"max-age=-1", "max-age=+1", "max-age=1.5", "max-age=1s", "max-age=0x0", "max-age=1 2", "max-age=\"0",
			"max-age=0\"", "max-age=\u0660", "max-age=9999999999", "max-age=99999999999999999999999",
			"only-if-cached=1", "foo=\"no-cache\"", "foo=\", no-cache, \"", "foo=\"\\\", no-cache\"", "max-stale",
			"max-stale=9", "min-fresh=1", "no-store", "no-transform", "stale-if-error=9", "s-maxage=0" })
	void ofWhenUnknownOrMalformedIsNone(String cacheControl) {
		assertThat(of(null, cacheControl)).isEqualTo(RequestDirectives.NONE);
	}

	@ParameterizedTest
	@ValueSource(strings = { "no-cache", "No-Cache", " no-cache " })
	void ofWhenPragmaIsAloneIsNoCache(String pragma) {
		assertThat(of(pragma)).isEqualTo(NO_CACHE);
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "foo", "no-cache=1", "xno-cache" })
	void ofWhenPragmaIsUnknownIsNone(String pragma) {
		assertThat(of(pragma)).isEqualTo(RequestDirectives.NONE);
	}

	@ParameterizedTest
	@ValueSource(strings = { "max-stale", "", "nonsense=" })
	void ofWhenCacheControlIsPresentIgnoresPragma(String cacheControl) {
		assertThat(of("no-cache", cacheControl)).isEqualTo(RequestDirectives.NONE);
	}

	private static RequestDirectives of(@Nullable String pragma, String... cacheControl) {
		List<String> lines = Arrays.asList(cacheControl);
		return RequestDirectives.of(lines, pragma);
	}

}
