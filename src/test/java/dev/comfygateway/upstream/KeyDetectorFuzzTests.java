package dev.comfygateway.upstream;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;

class KeyDetectorFuzzTests {

	private static final JsonMapper json = new JsonMapper();

	@Property(edgeCases = EdgeCasesMode.NONE)
	void errorTextWhenItContainsDisguisedPieceIsNone(@ForAll("secrets") String secret,
			@ForAll @IntRange(max = 30) int at, @ForAll("disguises") UnaryOperator<String> disguise,
			@ForAll("texts") String before, @ForAll("texts") String after) {
		int start = at % (secret.length() - KeyDetector.PIECE + 1);
		String piece = disguise.apply(secret.substring(start, start + KeyDetector.PIECE));
		for (String key : List.of(secret, "comfyui-" + secret, "COMFYUI-" + secret)) {
			byte[] body = json.writeValueAsBytes(Map.of("code", piece, "message", before + " " + piece + " " + after));
			assertThat(ContractReader.errorText(body, key)).isEqualTo(ContractReader.ErrorText.NONE);
		}
	}

	@Property(edgeCases = EdgeCasesMode.NONE)
	void errorTextWhenItContainsNoPieceIsUnchanged(@ForAll("secrets") String secret, @ForAll("words") String message) {
		assertThat(ContractReader.errorText(json.writeValueAsBytes(Map.of("code", "BUSY", "message", message)),
				"comfyui-" + secret))
			.isEqualTo(new ContractReader.ErrorText("BUSY", message));
	}

	@Property
	void isKeyInWhenTextIsArbitraryReturns(@ForAll String key, @ForAll String text) {
		assertThat(new KeyDetector(key).isKeyIn(text)).isIn(true, false);
	}

	/** Usual formats of keys: hexadecimal digits, or letters in both cases and digits. */
	@Provide
	Arbitrary<String> secrets() {
		return Arbitraries.oneOf(Arbitraries.strings().withChars("0123456789abcdef").ofMinLength(32).ofMaxLength(64),
				Arbitraries.strings().alpha().numeric().ofMinLength(16).ofMaxLength(80));
	}

	@Provide
	Arbitrary<UnaryOperator<String>> disguises() {
		List<UnaryOperator<String>> disguises = List.of(piece -> piece, piece -> piece.toUpperCase(Locale.ROOT),
				piece -> piece.toLowerCase(Locale.ROOT), piece -> String.join("-", piece.split("")),
				piece -> String.join("_.", piece.split("")), KeyDetectorFuzzTests::hex,
				piece -> hex(piece).toUpperCase(Locale.ROOT), KeyDetectorFuzzTests::percent, piece -> base64(piece),
				piece -> base64("+" + piece), piece -> base64("+-" + piece), piece -> base64(piece + "\u007f"));
		return Arbitraries.of(disguises);
	}

	private static String hex(String text) {
		return HexFormat.of().formatHex(text.getBytes(StandardCharsets.US_ASCII));
	}

	private static String percent(String text) {
		return text.chars().mapToObj("%%%02X"::formatted).collect(Collectors.joining());
	}

	private static String base64(String text) {
		return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.US_ASCII));
	}

	@Provide
	Arbitrary<String> texts() {
		return Arbitraries.oneOf(Arbitraries.strings().ofMaxLength(20),
				Arbitraries.strings().ascii().ofMinLength(250).ofMaxLength(400));
	}

	/** Texts of words that do not contain a piece of a random secret. */
	@Provide
	Arbitrary<String> words() {
		return Arbitraries.of("comfyui", "is", "busy", "the", "key", "refused", "try", "again", "later", "0x", "100%")
			.list()
			.ofMinSize(1)
			.ofMaxSize(12)
			.map(words -> String.join(" ", words));
	}

}
