package dev.comfygateway.upstream;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Parser of the upstream's bodies, which are not trusted. Fields of the contract are
 * validated. Unknown fields are dropped, since they can contain account details.
 */
final class ContractReader {

	private static final int MAX_MESSAGE_LENGTH = 300;

	private static final Pattern CODE = Pattern.compile("[A-Za-z0-9_.-]{1,64}");

	// Control characters (Cc), invisible formatting that could hide a key (Cf),
	// line ends (Zl, Zp) and unpaired surrogates (Cs), which UTF-8 cannot encode
	private static final Pattern NOT_TEXT = Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\p{Cs}]");

	private static final JsonMapper json = JsonMapper
		.builder(JsonFactory.builder()
			.enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
			.streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(64).build())
			.build())
		.enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
		.build();

	private ContractReader() {
	}

	/** Parses an answer; empty if the body does not follow the contract. */
	static Optional<PromptInfo> promptInfo(byte[] body) {
		JsonNode root = object(body);
		if (root == null) {
			return Optional.empty();
		}
		JsonNode execInfo = root.get("exec_info");
		if (execInfo == null) {
			return Optional.of(new PromptInfo(null));
		}
		if (!execInfo.isObject()) {
			return Optional.empty();
		}
		JsonNode remaining = execInfo.get("queue_remaining");
		if (remaining == null) {
			return Optional.of(new PromptInfo(new PromptInfo.ExecInfo(null)));
		}
		if (!remaining.isIntegralNumber() || !remaining.canConvertToLong() || remaining.asLong() < 0) {
			return Optional.empty();
		}
		return Optional.of(new PromptInfo(new PromptInfo.ExecInfo(remaining.asLong())));
	}

	/** Returns the sanitized code and message of an error body. */
	static ErrorText errorText(byte[] body, @Nullable String key) {
		JsonNode root = object(body);
		if (root == null) {
			return ErrorText.NONE;
		}
		KeyDetector detector = new KeyDetector(key);
		return new ErrorText(code(root.get("code"), detector), message(root.get("message"), key, detector));
	}

	private static @Nullable String code(@Nullable JsonNode node, KeyDetector detector) {
		if (node == null || !node.isString()) {
			return null;
		}
		String code = node.stringValue();
		return isCode(code) && !detector.isKeyIn(code) ? code : null;
	}

	private static @Nullable String message(@Nullable JsonNode node, @Nullable String key, KeyDetector detector) {
		if (node == null || !node.isString()) {
			return null;
		}
		String message = NOT_TEXT.matcher(node.stringValue()).replaceAll("");
		if (key != null) {
			message = message.replace(key, "***");
		}
		// The inserted stars can complete a key that itself contains stars
		if (message.isBlank() || detector.isKeyIn(message)) {
			return null;
		}
		int length = message.codePointCount(0, message.length());
		return length <= MAX_MESSAGE_LENGTH ? message
				: message.substring(0, message.offsetByCodePoints(0, MAX_MESSAGE_LENGTH));
	}

	/** Returns whether a body is a JSON object, regardless of its content type. */
	static boolean isObject(byte[] body) {
		return object(body) != null;
	}

	private static @Nullable JsonNode object(byte[] body) {
		try {
			// Decoded here, since Jackson also accepts a BOM, UTF-16 and UTF-32
			String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString();
			JsonNode root = json.readTree(text);
			return root.isObject() ? root : null;
		}
		catch (CharacterCodingException | JacksonException ignored) {
			return null;
		}
	}

	/** Returns whether a text is a valid error code for callers. */
	static boolean isCode(String text) {
		return CODE.matcher(text).matches();
	}

	/** Returns whether a text is a valid error message for callers. */
	static boolean isMessage(String text) {
		return !text.isBlank() && !NOT_TEXT.matcher(text).find()
				&& text.codePointCount(0, text.length()) <= MAX_MESSAGE_LENGTH;
	}

	/** Sanitized error code and message; either can be null. */
	record ErrorText(@Nullable String code, @Nullable String message) {

		static final ErrorText NONE = new ErrorText(null, null);

	}

}
