package dev.comfygateway.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.comfygateway.upstream.ContractReader.ErrorText;
import dev.comfygateway.upstream.PromptInfo.ExecInfo;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

class ContractReaderTests {

	private static final String KEY = "comfyui-0123456789abcdef";

	private static final String VALID = "{\"exec_info\": {\"queue_remaining\": 3}}";

	@ParameterizedTest
	@ValueSource(longs = { 0, 1, 3, Integer.MAX_VALUE + 1L, Long.MAX_VALUE })
	void promptInfoWhenWholeNumberReturnsIt(long remaining) {
		assertThat(ContractReader.promptInfo(utf8("{\"exec_info\": {\"queue_remaining\": %s}}".formatted(remaining))))
			.contains(promptInfo(remaining));
	}

	@Test
	void promptInfoWhenExecInfoAbsentReturnsEmptyObject() {
		assertThat(ContractReader.promptInfo(utf8("{}"))).contains(new PromptInfo(null));
	}

	@Test
	void promptInfoWhenQueueRemainingAbsentReturnsEmptyExecInfo() {
		assertThat(ContractReader.promptInfo(utf8("{\"exec_info\":{}}"))).contains(new PromptInfo(new ExecInfo(null)));
	}

	@Test
	void promptInfoWhenUnknownFieldsDropsThem() {
		String body = "{\"account\":\"a@b.example\",\"exec_info\":{\"queue_remaining\":3,\"queue_pending\":[1,{\"x\":null}]},"
				+ "\"plan\":{\"price\":1.5}}";
		assertThat(ContractReader.promptInfo(utf8(body))).contains(promptInfo(3));
	}

	@Test
	void promptInfoWhenUnknownFieldIsHugeNumberDropsIt() {
		assertThat(ContractReader.promptInfo(utf8("{\"exec_info\":{\"queue_remaining\":3},\"x\":1e999999999}")))
			.contains(promptInfo(3));
	}

	@Test
	void promptInfoWhenSurroundedByWhitespaceReturnsIt() {
		assertThat(ContractReader.promptInfo(utf8("\r\n\t " + VALID + "\r\n\t "))).contains(promptInfo(3));
	}

	@ParameterizedTest
	@ValueSource(strings = { "null", "\"3\"", "true", "[]", "{}", "[3]", "-1", "-9223372036854775808", "0.5", "3.0",
			"1.0", "1e2", "1E2", "1e-2", "9223372036854775808", "18446744073709551616", "1e999999999", "-1e999999999",
			"NaN", "Infinity", "+3", "03", "0x3", "3L", ".5", "3." })
	void promptInfoWhenQueueRemainingIsNotACountIsEmpty(String value) {
		assertThat(ContractReader.promptInfo(utf8("{\"exec_info\":{\"queue_remaining\":%s}}".formatted(value))))
			.isEmpty();
	}

	@Test
	void promptInfoWhenQueueRemainingHasTensOfThousandsOfDigitsIsEmpty() {
		assertThat(ContractReader
			.promptInfo(utf8("{\"exec_info\":{\"queue_remaining\":%s}}".formatted("9".repeat(60_000))))).isEmpty();
	}

	@ParameterizedTest
	@ValueSource(strings = { "null", "3", "\"\"", "[]", "[{\"queue_remaining\":3}]", "false" })
	void promptInfoWhenExecInfoIsNotAnObjectIsEmpty(String value) {
		assertThat(ContractReader.promptInfo(utf8("{\"exec_info\":%s}".formatted(value)))).isEmpty();
	}

	@ParameterizedTest
	@ValueSource(strings = { "", " ", "null", "3", "\"\"", "[]", "[" + VALID + "]", "not JSON", "<html></html>",
			"{\"exec_info\":{\"queue_remaining\":3}", "{\"exec_info\":{\"queue_remaining\":3", "{\"exec_info\"",
			VALID + VALID, VALID + "]", VALID + " x", VALID + ",", "{\"exec_info\":{\"queue_remaining\":3,}}",
			"{'exec_info':{}}", "{exec_info:{}}", "/**/" + VALID, VALID + "//",
			"{\"exec_info\":{\"queue_remaining\":}}", "{\"x\":\"\u0001\"}", "{\"x\":\"\\x\"}" })
	void promptInfoWhenNotOneJsonObjectIsEmpty(String body) {
		assertThat(ContractReader.promptInfo(utf8(body))).isEmpty();
	}

	@ParameterizedTest
	@ValueSource(strings = { "{\"exec_info\":{\"queue_remaining\":3,\"queue_remaining\":3}}",
			"{\"exec_info\":{},\"exec_info\":{}}", "{\"x\":1,\"x\":1}",
			"{\"exec_info\":{\"queue_remaining\":3,\"queue\\u005fremaining\":4}}" })
	void promptInfoWhenFieldIsRepeatedIsEmpty(String body) {
		assertThat(ContractReader.promptInfo(utf8(body))).isEmpty();
	}

	@ParameterizedTest
	@ValueSource(strings = { "[", "{\"x\":" })
	void promptInfoWhenNestedDeeplyIsEmpty(String opening) {
		assertThat(ContractReader.promptInfo(utf8("{\"x\":" + opening.repeat(10_000)))).isEmpty();
	}

	@Test
	void promptInfoWhenNestedDeeplyAndWellFormedIsEmpty() {
		assertThat(ContractReader.promptInfo(utf8("{\"x\":" + "[".repeat(1000) + "]".repeat(1000) + "}"))).isEmpty();
	}

	@ParameterizedTest
	@ValueSource(strings = { "UTF-16", "UTF-16LE", "UTF-16BE", "UTF-32", "UTF-32LE" })
	void promptInfoWhenNotUtf8IsEmpty(String charset) {
		assertThat(ContractReader.promptInfo(VALID.getBytes(Charset.forName(charset)))).isEmpty();
	}

	@Test
	void promptInfoWhenByteOrderMarkIsEmpty() {
		assertThat(ContractReader.promptInfo(utf8("\uFEFF" + VALID))).isEmpty();
	}

	@ParameterizedTest
	@MethodSource
	void promptInfoWhenInvalidUtf8IsEmpty(byte[] text) {
		byte[] body = utf8("{\"x\":\"....\",\"exec_info\":{\"queue_remaining\":3}}");
		System.arraycopy(text, 0, body, 6, text.length);
		assertThat(ContractReader.promptInfo(body)).isEmpty();
	}

	static Stream<byte[]> promptInfoWhenInvalidUtf8IsEmpty() {
		byte half = (byte) 0xc3;
		byte stray = (byte) 0x80;
		byte[] overlong = { (byte) 0xc0, (byte) 0xaf };
		byte[] surrogate = { (byte) 0xed, (byte) 0xa0, (byte) 0x80 };
		byte[] beyondUnicode = { (byte) 0xf5, (byte) 0x80, (byte) 0x80, (byte) 0x80 };
		return Stream.of(new byte[] { half }, new byte[] { stray }, overlong, surrogate, beyondUnicode);
	}

	@Test
	void errorTextWhenFieldsOfTheContractReturnsThem() {
		assertThat(errorText("{\"code\":\"QUOTA.exceeded_2-x\",\"message\":\"Come back later\"}"))
			.isEqualTo(new ErrorText("QUOTA.exceeded_2-x", "Come back later"));
	}

	@Test
	void errorTextWhenOtherFieldsDropsThem() {
		assertThat(errorText("{\"code\":\"A\",\"message\":\"b\",\"account\":\"c\",\"details\":{\"d\":1}}"))
			.isEqualTo(new ErrorText("A", "b"));
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "null", "\"message\"", "[]", "<html>no</html>", "{}", "{\"code\":1,\"message\":2}",
			"{\"error\":{\"code\":\"A\",\"message\":\"b\"}}", "{\"error\":\"A\"}", "{\"code\":null,\"message\":null}",
			"{\"code\":[\"A\"],\"message\":{\"text\":\"b\"}}", "{\"code\":\"A\",\"message\":\"b\"",
			"{\"code\":\"A\",\"code\":\"B\",\"message\":\"b\"}", "{\"code\":\"A\",\"message\":\"b\"} trailing",
			"{\"Code\":\"A\",\"Message\":\"b\"}" })
	void errorTextWhenOtherShapeIsNone(String body) {
		assertThat(errorText(body)).isEqualTo(ErrorText.NONE);
	}

	@Test
	void errorTextWhenOnlyCodeIsUsableReturnsCode() {
		assertThat(errorText("{\"code\":\"A\",\"message\":7}")).isEqualTo(new ErrorText("A", null));
	}

	@Test
	void errorTextWhenOnlyMessageIsUsableReturnsMessage() {
		assertThat(errorText("{\"code\":\"not a code\",\"message\":\"b\"}")).isEqualTo(new ErrorText(null, "b"));
	}

	@Test
	void codeWhenOfMaximumLengthReturnsIt() {
		assertThat(errorText("{\"code\":\"%s\"}".formatted("A".repeat(64))).code()).isEqualTo("A".repeat(64));
	}

	@ParameterizedTest
	@ValueSource(strings = { "", " ", "A B", "A\\n", "A\\r\\nX-Injected: 1", "Ä", "A/B", "<b>", "A\\u0000", "A\\\"",
			"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" })
	void codeWhenUnusableIsNull(String code) {
		assertThat(errorText("{\"code\":\"%s\"}".formatted(code)).code()).isNull();
	}

	@ParameterizedTest
	@ValueSource(strings = { KEY, "KEY-" + KEY, KEY + "_REFUSED" })
	void codeWhenItContainsTheKeyIsNull(String code) {
		assertThat(errorText("{\"code\":\"%s\"}".formatted(code)).code()).isNull();
	}

	@ParameterizedTest
	@ValueSource(strings = { "", " ", "\\t\\n", "\\u0000\\u0007", "\\u2028", " \\u200b ", "\\u3000" })
	void messageWhenBlankIsNull(String message) {
		assertThat(message(message)).isNull();
	}

	@Test
	void messageWhenControlCharactersRemovesThem() {
		assertThat(message("a\\u0000b\\r\\nc\\td\\u001b[31me\\u007ff\\u0085g\\u2028h\\u2029i\\u202ej"))
			.isEqualTo("abcd[31mefghij");
	}

	@Test
	void messageWhenSurrogateIsUnpairedRemovesIt() {
		assertThat(message("a\\ud83db\\ude00c \\ud83d\\ude00")).isEqualTo("abc \uD83D\uDE00");
	}

	@Test
	void messageWhenItContainsTheKeyReplacesIt() {
		assertThat(message("Key " + KEY + " and again " + KEY + ".")).isEqualTo("Key *** and again ***.");
	}

	@ParameterizedTest
	@ValueSource(strings = { "\\n", "\\u0000", "\\u200b", "\\u00ad", "\\ufeff", "\\ud83d" })
	void messageWhenTheKeyIsSplitByInvisibleCharactersReplacesIt(String invisible) {
		String split = KEY.substring(0, 9) + invisible + KEY.substring(9);
		assertThat(message("Key " + split + ".")).isEqualTo("Key ***.");
	}

	@Test
	void messageWhenTheKeyIsEscapedReplacesIt() {
		assertThat(message("Key \\u0063" + KEY.substring(1) + ".")).isEqualTo("Key ***.");
	}

	@Test
	void messageWhenTheKeyCrossesTheLimitShowsNoPartOfIt() {
		assertThat(message("x".repeat(295) + KEY)).isEqualTo("x".repeat(295) + "***");
	}

	@Test
	void messageWhenTheReplacementFormsTheKeyAgainIsNull() {
		assertThat(ContractReader.errorText(utf8("{\"message\":\"aa***bb\"}"), "a***b").message()).isNull();
	}

	@ParameterizedTest
	@ValueSource(strings = { "comfyui-01234567", "89ABCD", "8 9 a b c d", "comfyui-0123****cdef", "ODlhYmNk",
			"383961626364", "%38%39%61%62%63%64" })
	void textWhenItContainsAPieceOfTheKeyIsNone(String piece) {
		assertThat(message("Key " + piece + ".")).isNull();
		assertThat(message("x".repeat(400) + " " + piece)).isNull();
		assertThat(errorText("{\"code\":\"%s\",\"message\":\"b\"}".formatted(piece.replaceAll("[^\\w.-]", "_"))))
			.isEqualTo(new ErrorText(null, "b"));
	}

	@Test
	void messageWhenItNamesTheProductIsKept() {
		assertThat(message("comfyui is busy")).isEqualTo("comfyui is busy");
	}

	@Test
	void messageWhenTooLongIsTruncated() {
		assertThat(message("x".repeat(301))).isEqualTo("x".repeat(300));
	}

	@Test
	void messageWhenOfMaximumLengthIsUnchanged() {
		assertThat(message("x".repeat(300))).isEqualTo("x".repeat(300));
	}

	@Test
	void messageWhenLongOnlyByControlCharactersIsKept() {
		assertThat(message("\\n".repeat(100) + "x".repeat(300))).isEqualTo("x".repeat(300));
	}

	@Test
	void messageWhenTruncatedSplitsNoCharacter() {
		assertThat(message("\uD83D\uDE00".repeat(301))).isEqualTo("\uD83D\uDE00".repeat(300));
	}

	@Test
	void messageWhenNoKeyIsKept() {
		assertThat(ContractReader.errorText(utf8("{\"message\":\"null and void\"}"), null).message())
			.isEqualTo("null and void");
	}

	@Test
	void promptInfoWhenSerializedHasContractFieldsOnly() {
		JsonMapper json = JsonMapper.builder().build();
		assertThat(json.writeValueAsString(promptInfo(3))).isEqualTo("{\"exec_info\":{\"queue_remaining\":3}}");
		assertThat(json.writeValueAsString(new PromptInfo(new ExecInfo(null)))).isEqualTo("{\"exec_info\":{}}");
		assertThat(json.writeValueAsString(new PromptInfo(null))).isEqualTo("{}");
	}

	private static @Nullable String message(String escaped) {
		return errorText("{\"message\":\"%s\"}".formatted(escaped)).message();
	}

	private static ErrorText errorText(String body) {
		return ContractReader.errorText(utf8(body), KEY);
	}

	private static PromptInfo promptInfo(long remaining) {
		return new PromptInfo(new ExecInfo(remaining));
	}

	private static byte[] utf8(String text) {
		return text.getBytes(StandardCharsets.UTF_8);
	}

}
