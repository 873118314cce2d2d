package dev.comfygateway.prompt;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

import static org.assertj.core.api.Assertions.assertThat;

class EntityTagsFuzzTests {

	private static final String ETAG = "\"0123abcd\"";

	@Property
	void matchWhenHostileMatchesOnlyWhatNamesTag(@ForAll("lines") List<String> lines) {
		if (EntityTags.match(Collections.enumeration(lines), ETAG)) {
			assertThat(lines).anyMatch(line -> line.contains(ETAG) || line.strip().equals("*"));
		}
	}

	@Property
	void matchWhenTagStandsAmongWellFormedOnesMatches(@ForAll("tags") List<String> before,
			@ForAll("tags") List<String> after) {
		List<String> tags = new ArrayList<>(before);
		tags.add("W/" + ETAG);
		tags.addAll(after);
		assertThat(EntityTags.match(Collections.enumeration(List.of(String.join(", ", tags))), ETAG)).isTrue();
	}

	@Property
	void matchWhenTagStandsOnLineOfItsOwnMatches(@ForAll("lines") List<String> before) {
		List<String> lines = new ArrayList<>(before);
		lines.add(ETAG);
		assertThat(EntityTags.match(Collections.enumeration(lines), ETAG)).isTrue();
	}

	@Provide
	Arbitrary<List<String>> tags() {
		return Arbitraries.strings()
			.withCharRange('#', '~')
			.withChars("!,")
			.ofMaxLength(20)
			.map(tag -> (tag.length() % 2 == 0) ? '"' + tag + '"' : "W/\"" + tag + '"')
			.list()
			.ofMaxSize(5);
	}

	@Provide
	Arbitrary<List<String>> lines() {
		Arbitrary<String> shaped = Arbitraries
			.of("\"", "W/", "w/", ",", " ", "*", "0123abcd", "0123", "abcd", "\t", "é", "\\")
			.list()
			.ofMaxSize(12)
			.map(parts -> String.join("", parts));
		return Arbitraries.oneOf(shaped, Arbitraries.strings().ofMaxLength(40)).list().ofMaxSize(4);
	}

}
