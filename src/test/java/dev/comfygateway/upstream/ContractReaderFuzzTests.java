package dev.comfygateway.upstream;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;

class ContractReaderFuzzTests {

	private static final JsonMapper json = new JsonMapper();

	private static final String CONTROLS = "[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\p{Cs}]";

	@Property
	void promptInfoWhenBytesAreArbitraryIsContractOrEmpty(@ForAll byte[] body) {
		assertContractOrEmpty(body);
	}

	@Property
	void promptInfoWhenJsonIsMutatedIsContractOrEmpty(@ForAll("mutatedAnswers") byte[] body) {
		assertContractOrEmpty(body);
	}

	@Property
	void promptInfoWhenNumberIsArbitraryIsContractOrEmpty(@ForAll("numbers") String number) {
		assertContractOrEmpty(utf8("{\"exec_info\":{\"queue_remaining\":" + number + "}}"));
	}

	@Property
	void promptInfoWhenNumberIsValidIsThatNumber(@ForAll @LongRange(max = Long.MAX_VALUE) long number) {
		byte[] body = utf8("{\"account\":\"x\",\"exec_info\":{\"other\":[1],\"queue_remaining\":" + number + "}}");
		assertThat(ContractReader.promptInfo(body)).contains(new PromptInfo(new PromptInfo.ExecInfo(number)));
	}

	@Property(tries = 100)
	void promptInfoWhenNestedTooDeeplyIsEmpty(@ForAll @IntRange(min = 65, max = 30_000) int depth) {
		byte[] body = utf8("{\"exec_info\":" + "[".repeat(depth) + "]".repeat(depth) + "}");
		assertThat(ContractReader.promptInfo(body)).isEmpty();
	}

	@Property(tries = 100)
	void promptInfoWhenUnknownFieldIsNestedIsContractOrEmpty(@ForAll @IntRange(max = 30_000) int depth) {
		assertContractOrEmpty(utf8("{\"x\":" + "{\"x\":".repeat(depth) + "1" + "}".repeat(depth) + "}"));
	}

	@Property(edgeCases = EdgeCasesMode.NONE)
	void errorTextWhenBytesAreArbitraryIsSanitized(@ForAll byte[] body, @ForAll("keys") String key) {
		assertSanitized(ContractReader.errorText(body, key), key);
	}

	@Property(edgeCases = EdgeCasesMode.NONE)
	void errorTextWhenJsonIsMutatedIsSanitized(@ForAll("mutatedErrors") byte[] body, @ForAll("keys") String key) {
		assertSanitized(ContractReader.errorText(body, key), key);
	}

	@Property(edgeCases = EdgeCasesMode.NONE)
	void errorTextWhenTextsContainKeyIsSanitized(@ForAll("keys") String key, @ForAll("texts") String before,
			@ForAll("texts") String after, @ForAll("texts") String within) {
		int middle = key.length() / 2;
		String hidden = key.substring(0, middle) + within + key.substring(middle);
		byte[] body = json
			.writeValueAsBytes(Map.of("code", before + key + after, "message", before + key + hidden + after));
		assertSanitized(ContractReader.errorText(body, key), key);
	}

	@Property
	void errorTextWhenCodeIsUsableIsThatCode(@ForAll("codes") String code) {
		assertThat(ContractReader.errorText(json.writeValueAsBytes(Map.of("code", code)), "~key~").code())
			.isEqualTo(code);
	}

	@Property
	void errorTextWhenMessageIsPlainIsThatMessage(@ForAll("plainTexts") String message) {
		assertThat(ContractReader.errorText(json.writeValueAsBytes(Map.of("message", message)), "~key~").message())
			.isEqualTo(message);
	}

	private static void assertContractOrEmpty(byte[] body) {
		Optional<PromptInfo> read = ContractReader.promptInfo(body);
		read.ifPresent(info -> {
			assertThat(json.writeValueAsString(info))
				.matches("\\{}|\\{\"exec_info\":\\{}}|\\{\"exec_info\":\\{\"queue_remaining\":\\d+}}");
			assertThat(ContractReader.promptInfo(json.writeValueAsBytes(info))).contains(info);
		});
	}

	private static void assertSanitized(ContractReader.ErrorText text, String key) {
		if (text.code() != null) {
			assertThat(text.code()).matches("[A-Za-z0-9_.-]{1,64}").doesNotContain(key);
		}
		if (text.message() != null) {
			assertThat(text.message()).isNotBlank().doesNotContainPattern(CONTROLS).doesNotContain(key);
			assertThat(text.message().codePointCount(0, text.message().length())).isLessThanOrEqualTo(300);
		}
	}

	private static byte[] utf8(String text) {
		return text.getBytes(StandardCharsets.UTF_8);
	}

	private static Arbitrary<byte[]> mutated(Arbitrary<String> bodies) {
		Arbitrary<byte[]> patches = Arbitraries.bytes().array(byte[].class).ofMaxSize(4);
		return Combinators
			.combine(bodies, Arbitraries.integers().between(0, 200), Arbitraries.integers().between(0, 3), patches)
			.as((text, at, removed, patch) -> patched(utf8(text), at, removed, patch));
	}

	private static byte[] patched(byte[] body, int at, int removed, byte[] patch) {
		int start = at % (body.length + 1);
		int end = Math.min(body.length, start + removed);
		byte[] result = new byte[start + patch.length + body.length - end];
		System.arraycopy(body, 0, result, 0, start);
		System.arraycopy(patch, 0, result, start, patch.length);
		System.arraycopy(body, end, result, start + patch.length, body.length - end);
		return result;
	}

	@Provide
	Arbitrary<byte[]> mutatedAnswers() {
		return mutated(Arbitraries.of("{}", "{\"exec_info\":{}}", "{\"exec_info\":{\"queue_remaining\":3}}",
				"{\"exec_info\":{\"queue_remaining\":9223372036854775807}}",
				"{\"exec_info\":{\"queue_remaining\":1,\"queue_remaining\":2}}",
				"{\"a\":[null,true,1e9,\"\\ud83d\\ude00\"],\"exec_info\":{\"queue_remaining\":0}}"));
	}

	@Provide
	Arbitrary<byte[]> mutatedErrors() {
		return mutated(Arbitraries.of("{\"code\":\"E-1\",\"message\":\"no \\u0007 \\ud83d\\ude00 way\"}",
				"{\"code\":null,\"message\":[\"x\"]}", "{\"message\":\"line\\r\\nSet-Cookie: a\"}",
				"{\"error\":{\"code\":\"x\",\"message\":\"y\"}}"));
	}

	@Provide
	Arbitrary<String> numbers() {
		return Arbitraries.strings().withChars("0123456789+-.eE ").ofMinLength(1).ofMaxLength(1200);
	}

	@Provide
	Arbitrary<String> keys() {
		return Arbitraries.oneOf(Arbitraries.strings().withCharRange('!', '~').ofMinLength(8).ofMaxLength(40),
				// A small alphabet, so that replacing one key can form another
				Arbitraries.strings().withChars("a*-").ofMinLength(1).ofMaxLength(4));
	}

	@Provide
	Arbitrary<String> texts() {
		return Arbitraries.oneOf(Arbitraries.strings().ofMaxLength(20),
				Arbitraries.strings().withChars("a*-").ofMaxLength(10),
				Arbitraries.strings()
					.withChars("\u0000\n\r\u001b\u200b\u202e\u2028\u2029\ufeff\ud83d\ude00")
					.ofMaxLength(10),
				Arbitraries.strings().ascii().ofMinLength(250).ofMaxLength(400));
	}

	@Provide
	Arbitrary<String> codes() {
		return Arbitraries.strings()
			.withCharRange('a', 'z')
			.withCharRange('A', 'Z')
			.numeric()
			.withChars("_.-")
			.ofMinLength(1)
			.ofMaxLength(64);
	}

	@Provide
	Arbitrary<String> plainTexts() {
		return Arbitraries.strings()
			.withCharRange(' ', '}')
			.withCharRange('à', 'ÿ')
			.ofMinLength(1)
			.ofMaxLength(300)
			.filter(text -> !text.isBlank());
	}

}
