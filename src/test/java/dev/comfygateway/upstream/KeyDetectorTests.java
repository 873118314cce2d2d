package dev.comfygateway.upstream;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

class KeyDetectorTests {

	private static final String SECRET = "4f9c1e7ab2d85630Qw/Zx+PlMn";

	private static final String KEY = "comfyui-" + SECRET;

	private static final String PIECE = SECRET.substring(3, 9);

	private final KeyDetector detector = new KeyDetector(KEY);

	static Stream<String> pieces() {
		return Stream.of(KEY, SECRET, PIECE, KEY.substring(0, 14), KEY.substring(0, 12) + "****", PIECE + "...",
				PIECE.toUpperCase(Locale.ROOT), "C o M f Y u I - 4 F 9 C", spaced(PIECE, " "), spaced(PIECE, "\u00a0"),
				spaced(PIECE, "-"), spaced(PIECE, "\u200b"), spaced(PIECE, "\u2022"), spaced(PIECE, "\u0301"),
				spaced(PIECE, "\n"), fullWidth(PIECE), "\uD83D\uDE00" + PIECE + "\uD83D\uDE00");
	}

	@ParameterizedTest
	@MethodSource("pieces")
	void isKeyInWhenPieceOfTheKeyIsTrue(String piece) {
		assertThat(detector.isKeyIn("The key " + piece + " is wrong")).isTrue();
		assertThat(detector.isKeyIn(piece)).isTrue();
	}

	static Stream<String> masked() {
		String head = KEY.substring(0, 12);
		String tail = SECRET.substring(SECRET.length() - 4);
		return Stream
			.of("****", "*", "\u2026", "...", "\u2022\u2022\u2022\u2022", "####", "----", "xxxx", "XXXXXXXXXXXX")
			.flatMap(mask -> Stream.of(head + mask + tail, SECRET.substring(0, 4) + mask + tail,
					SECRET.substring(0, 2) + mask + tail, SECRET.substring(0, 5) + mask + "n"));
	}

	@ParameterizedTest
	@MethodSource("masked")
	void isKeyInWhenMaskShowsSixCharactersIsTrue(String masked) {
		assertThat(detector.isKeyIn("The key " + masked + " is wrong")).isTrue();
	}

	static Stream<String> encoded() {
		return Stream.of(KEY, SECRET, PIECE, "X-API-Key: " + KEY, "k=" + KEY, KEY.toUpperCase(Locale.ROOT))
			.flatMap(text -> Stream.of(hex(text), hex(text).toUpperCase(Locale.ROOT),
					HexFormat.ofDelimiter(":").formatHex(ascii(text)), escaped(text, "%%%02x"), escaped(text, "%%%02X"),
					escaped(text, "%%25%02x"), escaped(text, "\\x%02x"), escaped(text, "\\u%04x"),
					escaped(text, "0x%02x, "), escaped(text, "&#%d;"), escaped(text, "&#x%x;"),
					text.replace("9", "%39"), Base64.getEncoder().encodeToString(ascii(text)),
					Base64.getUrlEncoder().encodeToString(ascii(text)),
					Base64.getUrlEncoder().withoutPadding().encodeToString(ascii(text)),
					Base64.getMimeEncoder(4, ascii("\n")).encodeToString(ascii(text))));
	}

	@ParameterizedTest
	@MethodSource("encoded")
	void isKeyInWhenEncodedPieceIsTrue(String encoded) {
		assertThat(detector.isKeyIn("The key " + encoded + " is wrong")).isTrue();
	}

	@ParameterizedTest
	@ValueSource(ints = { 0, 1, 2, 3, 4, 5 })
	void isKeyInWhenPieceIsEncodedAfterOtherBytesIsTrue(int before) {
		for (int start = 0; start + KeyDetector.PIECE <= SECRET.length(); start++) {
			String text = "?".repeat(before) + SECRET.substring(start, start + KeyDetector.PIECE) + "?";
			assertThat(detector.isKeyIn(Base64.getEncoder().encodeToString(ascii(text)))).as(text).isTrue();
			assertThat(detector.isKeyIn(Base64.getUrlEncoder().encodeToString(ascii(text)))).as(text).isTrue();
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "comfyui is busy", "ComfyUI: bad request", "Create a key that begins with comfyui-",
			"comfyui-... is not a valid key", "comfyui-****", "INVALID_API_KEY", "Unauthorized", "4f9c1", "9c1e7",
			"comfyui 4f9", "Retry at 2026-11-30T12:00:00Z", "Request 0b0c5e8a-64ac-4bd7-9d53-1f6c6f7d3c11 failed",
			"100% of 0x10 &amp; more", "rate limit: xxx" })
	void isKeyInWhenOrdinaryTextIsFalse(String text) {
		assertThat(detector.isKeyIn(text)).isFalse();
	}

	@ParameterizedTest
	@CsvSource({ "k, OKAY", "key, The KEY is wrong", "comfyui-, comfyui is busy", "comfyui-abc, comfyui abc",
			"comfyui-abcde, comfyui: abcde is busy", "a*-*a, aa", "!!!!!!!!, !!!!!!!" })
	void isKeyInWhenKeyIsTooShortForAPieceIsFalse(String key, String text) {
		assertThat(new KeyDetector(key).isKeyIn(text)).isFalse();
	}

	@Test
	void isKeyInWhenThereIsNoKeyIsFalse() {
		assertThat(new KeyDetector(null).isKeyIn(KEY)).isFalse();
	}

	@ParameterizedTest
	@ValueSource(strings = { "sk-proj-9a8b7c6d5e4f", "correct-horse-battery-staple", "ABCDEF", "a!b\"c#d$e%f&" })
	void isKeyInWhenKeyHasAnotherFormFindsItsPieces(String key) {
		KeyDetector other = new KeyDetector(key);
		assertThat(other.isKeyIn("The key " + key + " is wrong")).isTrue();
		assertThat(other.isKeyIn(hex(key))).isTrue();
		assertThat(other.isKeyIn(Base64.getEncoder().encodeToString(ascii("key=" + key)))).isTrue();
		assertThat(other.isKeyIn("comfyui is busy")).isFalse();
	}

	@Test
	void isKeyInWhenKeyAndTextAreOfMaximumLengthReturns() {
		KeyDetector longKey = new KeyDetector("0123456789abcdef".repeat(256));
		assertThat(longKey.isKeyIn("01234".repeat(13_000))).isFalse();
		assertThat(longKey.isKeyIn("01234 5".repeat(9_000))).isTrue();
		assertThat(detector.isKeyIn("%25".repeat(21_000))).isFalse();
		assertThat(detector.isKeyIn("\ufdfa".repeat(21_000))).isFalse();
	}

	private static String spaced(String text, String between) {
		return String.join(between, text.split(""));
	}

	private static String fullWidth(String text) {
		return text.chars().mapToObj(c -> Character.toString(c + 0xfee0)).collect(Collectors.joining());
	}

	private static String escaped(String text, String format) {
		return text.chars().mapToObj(format::formatted).collect(Collectors.joining());
	}

	private static String hex(String text) {
		return HexFormat.of().formatHex(ascii(text));
	}

	private static byte[] ascii(String text) {
		return text.getBytes(StandardCharsets.US_ASCII);
	}

}
