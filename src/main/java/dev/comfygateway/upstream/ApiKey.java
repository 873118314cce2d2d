package dev.comfygateway.upstream;

import dev.comfygateway.InvalidSettingException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.HexFormat;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/**
 * Shared key as it is now: given once, or read from a file that is read again. The file's
 * content is compared, not its time, so that the symlink swap of a mounted Kubernetes
 * Secret is seen; what cannot be a key never replaces one that can.
 */
@Component
class ApiKey {

	private static final Logger log = LoggerFactory.getLogger(ApiKey.class);

	private static final int MAX_LENGTH = 4096;

	private final @Nullable Path file;

	private volatile Current current;

	private volatile boolean unreadable;

	ApiKey(ComfyProperties properties) {
		this.file = properties.auth() == ComfyProperties.Auth.NONE ? null : properties.apiKeyFile();
		this.current = new Current(1, first(properties, file));
	}

	private static @Nullable String first(ComfyProperties properties, @Nullable Path file) {
		if (properties.auth() == ComfyProperties.Auth.NONE) {
			return null;
		}
		try {
			String given = properties.apiKey();
			return file != null ? read(file) : parse(given == null ? "" : given);
		}
		catch (UnusableKeyException e) {
			throw new InvalidSettingException(file != null ? "comfy.api-key-file" : "comfy.api-key",
					// Without the name, where some put the key itself
					file != null ? "names a file that " + e.reason : e.reason,
					"Give one line of visible ASCII characters, exactly the key as it was issued.");
		}
	}

	Current current() {
		return current;
	}

	/** State of the file; absent where there is none. */
	Optional<KeyFile> file() {
		return file == null ? Optional.empty() : Optional.of(unreadable ? KeyFile.UNREADABLE : KeyFile.OK);
	}

	/** Reads the file again, where there is one. */
	@Scheduled(fixedDelayString = "2s")
	synchronized void reload() {
		if (file == null) {
			return;
		}
		try {
			String read = read(file);
			if (unreadable) {
				unreadable = false;
				log.info("The file of comfy.api-key-file can be used again");
			}
			if (!read.equals(current.value)) {
				current = new Current(current.version + 1, read);
				log.info("The key changed; answers made with the old one are dropped");
			}
		}
		catch (UnusableKeyException e) {
			if (!unreadable) {
				unreadable = true;
				log.warn("The file of comfy.api-key-file {}; the old key stays in use", e.reason);
			}
		}
	}

	private static String read(Path file) {
		// Others, such as pipes, could block whoever reads them
		if (Files.exists(file) && !Files.isRegularFile(file)) {
			throw new UnusableKeyException("is not a regular file");
		}
		try (InputStream in = Files.newInputStream(file)) {
			return parse(new String(in.readNBytes(MAX_LENGTH + 3), StandardCharsets.ISO_8859_1));
		}
		catch (NoSuchFileException ignored) {
			throw new UnusableKeyException("does not exist");
		}
		catch (AccessDeniedException ignored) {
			throw new UnusableKeyException("this user may not read, or whose directory it may not enter");
		}
		catch (IOException ignored) {
			throw new UnusableKeyException("cannot be read");
		}
	}

	private static String parse(String text) {
		String key = text.strip();
		if (key.isEmpty()) {
			throw new UnusableKeyException("is empty");
		}
		if (key.length() > MAX_LENGTH) {
			throw new UnusableKeyException("is longer than " + MAX_LENGTH + " characters");
		}
		if (key.indexOf('\n') >= 0 || key.indexOf('\r') >= 0) {
			throw new UnusableKeyException("has more than one line");
		}
		if (!key.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
			throw new UnusableKeyException("holds a blank or a character that is not visible ASCII");
		}
		return key;
	}

	/**
	 * One key of those the gateway has had.
	 *
	 * @param version counts from 1; what was learned under another version is void
	 * @param value the secret; absent where none is sent
	 */
	record Current(long version, @Nullable String value) {

		private static final String HASH = "HmacSHA256";

		private static final int FINGERPRINT_BYTES = 16;

		/**
		 * Keyed hash of an upstream's address: tells accounts apart, and does not lead
		 * back to the key.
		 */
		String fingerprint(String baseUrl) {
			try {
				Mac mac = Mac.getInstance(HASH);
				mac.init(new SecretKeySpec((value == null ? "no key" : value).getBytes(StandardCharsets.US_ASCII),
						HASH));
				byte[] hash = mac.doFinal(baseUrl.getBytes(StandardCharsets.UTF_8));
				return HexFormat.of().formatHex(hash, 0, FINGERPRINT_BYTES);
			}
			catch (GeneralSecurityException e) {
				throw new IllegalStateException(e);
			}
		}

		@Override
		public String toString() {
			return "key " + version;
		}
	}

	/**
	 * Reason why a text cannot be the key, as the end of a sentence; never holds the
	 * text.
	 */
	private static final class UnusableKeyException extends RuntimeException {

		private static final long serialVersionUID = 1L;

		private final String reason;

		UnusableKeyException(String reason) {
			super(reason);
			this.reason = reason;
		}

	}

}
