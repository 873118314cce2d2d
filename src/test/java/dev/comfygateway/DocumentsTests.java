package dev.comfygateway;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;

/** Tests that the links of the documents lead somewhere. */
class DocumentsTests {

	private static final Pattern LINK = Pattern.compile("]\\((?!https?:)([^)#\\s]*)(#[^)\\s]+)?\\)");

	private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.*)$");

	static List<Path> documents() throws IOException {
		try (Stream<Path> docs = Files.list(Path.of("src/docs"));
				Stream<Path> others = Stream.of(Path.of("README.md"), Path.of("helm/comfy-gateway/README.md"),
						Path.of(".github/CONTRIBUTING.md"), Path.of(".github/SECURITY.md"))) {
			return Stream.concat(docs.filter(path -> path.toString().endsWith(".md")), others).toList();
		}
	}

	@ParameterizedTest
	@MethodSource("documents")
	void linksLeadToFilesAndHeadings(Path document) throws IOException {
		List<MatchResult> links = LINK.matcher(Files.readString(document)).results().toList();
		for (MatchResult link : links) {
			Path target = link.group(1).isEmpty() ? document : document.resolveSibling(link.group(1)).normalize();
			assertThat(target).as(link.group()).exists();
			if (link.group(2) != null) {
				assertThat(anchors(target)).as(link.group()).contains(link.group(2));
			}
		}
	}

	/** Anchors of headings, as GitHub makes them. */
	private static Set<String> anchors(Path document) throws IOException {
		return HEADING.matcher(Files.readString(document))
			.results()
			.map(heading -> "#"
					+ heading.group(1).toLowerCase(Locale.ROOT).replaceAll("[^\\p{L}\\p{N} _-]", "").replace(' ', '-'))
			.collect(Collectors.toSet());
	}

}
