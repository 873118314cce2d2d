package dev.comfygateway.upstream;

import dev.comfygateway.InvalidSettingException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/**
 * Source of the shared key: a setting, or a file that is read every 2 s. The content of
 * the file is compared, not its modification time, so that the symlink swap of a mounted
 * Kubernetes Secret is detected. Invalid content never replaces a valid key.
 */
@Component
class ApiKeySource {

	private static final Logger log = LoggerFactory.getLogger(ApiKeySource.class);

	private static final int MAX_LENGTH = 4096;

	private final @Nullable Path file;

	private final ReentrantLock reading = new ReentrantLock();

	private volatile ApiKey key;

	/** Reason why the file cannot be used; null if it can. */
	private volatile @Nullable String failure;

	ApiKeySource(ComfyProperties properties) {
		this.file = properties.auth() == ComfyProperties.Auth.NONE ? null : properties.apiKeyFile();
		this.key = new ApiKey(1, initialValue(properties, file));
	}

	private static @Nullable String initialValue(ComfyProperties properties, @Nullable Path file) {
		if (properties.auth() == ComfyProperties.Auth.NONE) {
			return null;
		}
		try {
			String given = properties.apiKey();
			return file != null ? read(file) : parse(given == null ? "" : given);
		}
		catch (UnusableKeyException e) {
			throw new InvalidSettingException(file != null ? "comfy.api-key-file" : "comfy.api-key",
					// The path is omitted, since it can be the key itself by mistake
					file != null ? "names a file that " + e.reason : e.reason, e.action);
		}
	}

	/** Returns the key in use. */
	ApiKey key() {
		return key;
	}

	/** Returns the state of the file; empty if the key does not come from a file. */
	Optional<KeyFileState> file() {
		return file == null ? Optional.empty()
				: Optional.of(failure == null ? KeyFileState.OK : KeyFileState.UNREADABLE);
	}

	/**
	 * Reads the file again, if there is one. Returns immediately if another thread is
	 * reading it: a volume that hangs must not block all threads of the client.
	 */
	@Scheduled(fixedDelayString = "2s")
	void reload() {
		if (file == null || !reading.tryLock()) {
			return;
		}
		try {
			readAgain(file);
		}
		finally {
			reading.unlock();
		}
	}

	private void readAgain(Path file) {
		try {
			String read = read(file);
			if (failure != null) {
				failure = null;
				log.info("The file in comfy.api-key-file is usable again");
			}
			if (!read.equals(key.value())) {
				key = new ApiKey(key.version() + 1, read);
				log.info("The key changed; answers fetched with the old key are discarded");
			}
		}
		catch (UnusableKeyException e) {
			if (!e.reason.equals(failure)) {
				failure = e.reason;
				log.warn("The file in comfy.api-key-file {}; the old key stays in use. {}", e.reason, e.action);
			}
		}
	}

	private static String read(Path file) {
		// Other types, such as pipes, can block the thread that reads them
		if (Files.exists(file) && !Files.isRegularFile(file)) {
			throw new UnusableKeyException("is not a regular file",
					"Name the file itself, not its directory. Docker creates a directory if the mounted file does not exist.");
		}
		try (InputStream in = Files.newInputStream(file)) {
			return parse(new String(in.readNBytes(MAX_LENGTH + 3), StandardCharsets.ISO_8859_1));
		}
		catch (NoSuchFileException ignored) {
			throw new UnusableKeyException("does not exist",
					"Correct the path, or mount the file there, for example from a Secret.");
		}
		catch (AccessDeniedException ignored) {
			throw new UnusableKeyException(
					"cannot be read by this user, or is in a directory that this user cannot enter",
					"Let the user or group of this process read the file and enter its directory.");
		}
		catch (IOException ignored) {
			throw new UnusableKeyException("cannot be read", "Check the volume of the file.");
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
			throw new UnusableKeyException("contains a space or a character that is not visible ASCII");
		}
		return key;
	}

	/**
	 * Exception for a text that cannot be the key. The reason is the end of a sentence
	 * and never contains the text.
	 */
	private static final class UnusableKeyException extends RuntimeException {

		private static final long serialVersionUID = 1L;

		private final String reason;

		private final String action;

		UnusableKeyException(String reason) {
			this(reason, "Give one line of visible ASCII characters, exactly the key as it was issued.");
		}

		/**
		 * Creates the exception.
		 * @param action what the operator can do, as a sentence
		 */
		UnusableKeyException(String reason, String action) {
			super(reason);
			this.reason = reason;
			this.action = action;
		}

	}

}
