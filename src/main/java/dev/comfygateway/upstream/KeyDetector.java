package dev.comfygateway.upstream;

import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.web.util.HtmlUtils;

/**
 * Detector of pieces of the key in a text. It detects:
 * <ul>
 * <li>{@value #PIECE} consecutive characters of the secret part, in any case, and with
 * any spaces, marks or formatting between them;</li>
 * <li>the same in Base64, hexadecimal digits or escapes;</li>
 * <li>the visible ends of a masked key.</li>
 * </ul>
 * A shorter secret part is detected only as part of the complete key.
 */
final class KeyDetector {

	static final int PIECE = 6;

	/** Prefix of every key of Comfy Cloud, and an ordinary word in messages. */
	private static final String PREFIX = "comfyui-";

	/**
	 * Minimum length of a piece that directly follows the prefix.
	 */
	private static final int AFTER_PREFIX = 4;

	/**
	 * Number of Base64 digits that are determined by the bytes of one piece, at any
	 * alignment.
	 */
	private static final int BASE64_PIECE = 7;

	/**
	 * Minimum length of a folded piece. Folding drops {@code +} and {@code /} of Base64.
	 */
	private static final int MIN_LENGTH = 5;

	/** Maximum number of nested escapes that are resolved. */
	private static final int MAX_UNESCAPES = 3;

	private static final Pattern ESCAPE = Pattern.compile("(?i)(?:%|\\\\x|\\\\u00|0x)(\\p{XDigit}{2})");

	private static final Pattern MASK_OF_LETTERS = Pattern.compile("(?i)x{3,}");

	private final @Nullable String key;

	/** Pieces by their first {@value #MIN_LENGTH} characters. */
	private final Map<String, Set<String>> pieces = new HashMap<>();

	/**
	 * Creates the detector.
	 * @param key the key; null if there is none
	 */
	KeyDetector(@Nullable String key) {
		this.key = key;
		if (key == null) {
			return;
		}
		boolean hasPrefix = key.regionMatches(true, 0, PREFIX, 0, PREFIX.length());
		String secret = hasPrefix ? key.substring(PREFIX.length()) : key;
		addPieces(fold(secret), PIECE);
		addEnds(fold(secret), hasPrefix);
		for (String spelling : List.of(secret, secret.toLowerCase(Locale.ROOT), secret.toUpperCase(Locale.ROOT))) {
			byte[] bytes = spelling.getBytes(StandardCharsets.US_ASCII);
			addPieces(HexFormat.of().formatHex(bytes), 2 * PIECE);
			for (int alignment = 0; alignment < 3; alignment++) {
				addPieces(base64(bytes, alignment), BASE64_PIECE);
			}
		}
	}

	/**
	 * Adds the visible ends of a masked key, each of which can be shorter than a piece.
	 */
	private void addEnds(String secret, boolean hasPrefix) {
		if (secret.length() < PIECE) {
			return;
		}
		for (int head = 1; head < PIECE; head++) {
			for (int tail = PIECE - head; tail < PIECE; tail++) {
				add(secret.substring(0, head) + secret.substring(secret.length() - tail));
			}
		}
		if (hasPrefix) {
			add(fold(PREFIX) + secret.substring(0, AFTER_PREFIX));
		}
	}

	/** Encodes bytes at an alignment, without the digits that depend on other bytes. */
	private static String base64(byte[] bytes, int alignment) {
		byte[] shifted = new byte[alignment + bytes.length];
		System.arraycopy(bytes, 0, shifted, alignment, bytes.length);
		String digits = Base64.getEncoder().withoutPadding().encodeToString(shifted);
		int start = (alignment * 8 + 5) / 6;
		return digits.substring(start, Math.max(start, shifted.length * 8 / 6));
	}

	private void addPieces(String text, int length) {
		for (int start = 0; start + length <= text.length(); start++) {
			add(fold(text.substring(start, start + length)));
		}
	}

	private void add(String piece) {
		if (piece.length() >= MIN_LENGTH) {
			pieces.computeIfAbsent(piece.substring(0, MIN_LENGTH), start -> new HashSet<>()).add(piece);
		}
	}

	/** Returns whether a text contains the key or a piece of it. */
	boolean isKeyIn(String text) {
		return key != null && (text.contains(key) || hasPieceIn(text));
	}

	private boolean hasPieceIn(String text) {
		String current = text;
		for (int i = 0; i <= MAX_UNESCAPES; i++) {
			if (hasPiece(fold(current)) || hasPiece(fold(MASK_OF_LETTERS.matcher(current).replaceAll("")))) {
				return true;
			}
			String unescaped = unescape(current);
			if (unescaped.equals(current)) {
				return false;
			}
			current = unescaped;
		}
		return false;
	}

	private boolean hasPiece(String folded) {
		for (int i = 0; i + MIN_LENGTH <= folded.length(); i++) {
			for (String piece : pieces.getOrDefault(folded.substring(i, i + MIN_LENGTH), Set.of())) {
				if (folded.startsWith(piece, i)) {
					return true;
				}
			}
		}
		return false;
	}

	/** Returns the letters and digits of a text in compatibility form and lower case. */
	private static String fold(String text) {
		StringBuilder folded = new StringBuilder();
		Normalizer.normalize(text, Normalizer.Form.NFKD)
			.toLowerCase(Locale.ROOT)
			.codePoints()
			.filter(Character::isLetterOrDigit)
			.forEach(folded::appendCodePoint);
		return folded.toString();
	}

	private static String unescape(String text) {
		return ESCAPE.matcher(HtmlUtils.htmlUnescape(text))
			.replaceAll(escape -> Matcher
				.quoteReplacement(Character.toString((char) Integer.parseInt(escape.group(1), 16))));
	}

}
