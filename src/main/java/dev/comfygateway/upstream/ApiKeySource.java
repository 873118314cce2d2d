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
 * the file is compared, not its time, so that the symlink swap of a mounted Kubernetes
 * Secret is seen. A content that cannot be a key never replaces one that can.
 */
@Component
class ApiKeySource {

	private static final Logger log = LoggerFactory.getLogger(ApiKeySource.class);

	private static final int MAX_LENGTH = 4096;

	private final @Nullable Path file;

	private final ReentrantLock reading = new ReentrantLock();

	private volatile ApiKey key;

	/** Why the file cannot be used; absent if it can. */
	private volatile @Nullable String fault;

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
					// Without the name, if some put the key itself
					file != null ? "names a file that " + e.reason : e.reason, e.action);
		}
	}

	/** The key in use. */
	ApiKey key() {
		return key;
	}

	/** State of the file; absent if there is none. */
	Optional<KeyFileState> file() {
		return file == null ? Optional.empty() : Optional.of(fault == null ? KeyFileState.OK : KeyFileState.UNREADABLE);
	}

	/**
	 * Reads the file again; without one there is nothing to do. Returns at once if
	 * another thread reads it: a volume that hangs must not block every thread of the
	 * client.
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
			if (fault != null) {
				fault = null;
				log.info("The file of comfy.api-key-file is usable again");
			}
			if (!read.equals(key.value())) {
				key = new ApiKey(key.version() + 1, read);
				log.info("The key changed; answers made with the old one are dropped");
			}
		}
		catch (UnusableKeyException e) {
			if (!e.reason.equals(fault)) {
				fault = e.reason;
				log.warn("The file of comfy.api-key-file {}; the old key stays in use. {}", e.reason, e.action);
			}
		}
	}

	private static String read(Path file) {
		// Others, such as pipes, could block whoever reads them
		if (Files.exists(file) && !Files.isRegularFile(file)) {
			throw new UnusableKeyException("is not a regular file",
					"Name the file itself, not its directory. A file that Docker does not find becomes a directory.");
		}
		try (InputStream in = Files.newInputStream(file)) {
			return parse(new String(in.readNBytes(MAX_LENGTH + 3), StandardCharsets.ISO_8859_1));
		}
		catch (NoSuchFileException ignored) {
			throw new UnusableKeyException("does not exist",
					"Correct the path, or mount the file there, such as a Secret's entry of that name.");
		}
		catch (AccessDeniedException ignored) {
			throw new UnusableKeyException(
					"may not be read by this user, or is in a directory that this user may not enter",
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
			throw new UnusableKeyException("holds a blank or a character that is not visible ASCII");
		}
		return key;
	}

	/**
	 * Reason why a text cannot be the key, as the end of a sentence; never holds the
	 * text.
	 */
	private static final class UnusableKeyException extends RuntimeException {

		private static final long serialVersionUID = 1L;

		private final String reason;

		private final String action;

		UnusableKeyException(String reason) {
			this(reason, "Give one line of visible ASCII characters, exactly the key as it was issued.");
		}

		/**
		 * Creates a refusal.
		 * @param action what the operator can do, as a sentence
		 */
		UnusableKeyException(String reason, String action) {
			super(reason);
			this.reason = reason;
			this.action = action;
		}

	}

}
