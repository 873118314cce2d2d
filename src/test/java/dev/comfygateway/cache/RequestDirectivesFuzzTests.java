package dev.comfygateway.cache;

import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.jspecify.annotations.Nullable;

import static org.assertj.core.api.Assertions.assertThat;

class RequestDirectivesFuzzTests {

	@Property
	void ofWhenEveryLineIsUnknownIsNone(@ForAll("unknown") List<String> lines) {
		assertThat(of(lines, null)).isEqualTo(RequestDirectives.NONE);
	}

	@Property
	void ofWhenKnownLineIsAmongArbitraryLinesReadsIt(@ForAll("lines") List<String> before,
			@ForAll("lines") List<String> after) {
		List<String> lines = new ArrayList<>(before);
		lines.add("only-if-cached");
		lines.addAll(after);
		assertThat(of(lines, null).onlyIfCached()).isTrue();
	}

	private static RequestDirectives of(List<String> lines, @Nullable String pragma) {
		return RequestDirectives.of(lines, pragma);
	}

	@Provide
	Arbitrary<List<String>> lines() {
		return words().list().ofMaxSize(5);
	}

	@Provide
	Arbitrary<String> words() {
		Arbitrary<String> shaped = Arbitraries
			.of("no-cache", "max-age", "only-if-cached", "=", "\"", "\\", ",", " ", "\t", "0", "9999999999", "-1", "é")
			.list()
			.ofMaxSize(12)
			.map(parts -> String.join("", parts));
		return Arbitraries.oneOf(shaped, Arbitraries.strings().ofMaxLength(60));
	}

	@Provide
	Arbitrary<List<String>> unknown() {
		// Excludes the first letters of known directives
		return Arbitraries.strings().withChars("xyz=\", \\;0123456789\u0000").ofMaxLength(40).list().ofMaxSize(5);
	}

}
