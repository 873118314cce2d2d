package dev.comfygateway.prompt;

import java.util.Arrays;
import java.util.Collections;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

class EntityTagsTests {

	private static final String ETAG = "\"abc\"";

	@ParameterizedTest
	@ValueSource(strings = { "\"abc\"", "W/\"abc\"", " \"abc\" ", "\"x\", \"abc\"", "\"abc\", \"x\"", "\"x\",\"abc\"",
			"W/\"x\" , W/\"abc\"", "\"a,b\", \"abc\"", "\"a, \", \"abc\"", "\"\", \"abc\"", ",,\"abc\",,", "\t\"abc\"",
			"*", " * " })
	void matchWhenTagIsNamedIsTrue(String field) {
		assertThat(match(field)).isTrue();
	}

	@ParameterizedTest
	@ValueSource(strings = { "", " ", ",", "\"x\"", "\"x\", \"y\"", "\"\"", "\"ABC\"", "\"abcd\"", "\"ab\"",
			"\"a\",bc\"", "\"x,\"abc", "W/\"abcd\"" })
	void matchWhenTagIsNotNamedIsFalse(String field) {
		assertThat(match(field)).isFalse();
	}

	@ParameterizedTest
	@ValueSource(strings = { "abc", "\"abc", "abc\"", "'abc'", "w/\"abc\"", "W/abc", "W/", "W/ \"abc\"", "\"", "**",
			"*, \"x\"", "x, \"abc\"", "\"x\" y, \"abc\"" })
	void matchWhenFieldIsMalformedIsFalse(String field) {
		assertThat(match(field)).isFalse();
	}

	@Test
	void matchWhenTagStandsOnAnotherLineIsTrue() {
		assertThat(match("\"x\"", "\"y\", W/\"abc\"")).isTrue();
	}

	@Test
	void matchWhenAnotherLineIsMalformedIsTrue() {
		assertThat(match("nonsense", ETAG)).isTrue();
	}

	@Test
	void matchWhenThereIsNoFieldIsFalse() {
		assertThat(match()).isFalse();
	}

	@Test
	void matchWhenTagHasCommaIsTrue() {
		assertThat(EntityTags.match(Collections.enumeration(Arrays.asList("\"x\", \"a,b\"")), "\"a,b\"")).isTrue();
	}

	private static boolean match(String... fields) {
		return EntityTags.match(Collections.enumeration(Arrays.asList(fields)), ETAG);
	}

}
