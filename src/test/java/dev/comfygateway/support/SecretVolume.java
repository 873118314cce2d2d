package dev.comfygateway.support;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;

/** Directory with the layout of a mounted Secret. */
public record SecretVolume(Path directory) {

	public static final String ENTRY = "api-key";

	/** Entry with the key: a symbolic link that never changes. */
	public Path entry() {
		return directory.resolve(ENTRY);
	}

	/**
	 * Replaces the key like the kubelet: writes a new directory and atomically replaces
	 * the link to it.
	 */
	public void write(String key) throws IOException {
		Path version = Files.createTempDirectory(directory, "..version",
				PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
		Files.write(version.resolve(ENTRY), (key + "\n").getBytes(StandardCharsets.US_ASCII));
		Path link = Files.createSymbolicLink(directory.resolve("..data_tmp"), version.getFileName());
		Files.move(link, directory.resolve("..data"), StandardCopyOption.ATOMIC_MOVE,
				StandardCopyOption.REPLACE_EXISTING);
		if (!Files.isSymbolicLink(entry())) {
			Files.createSymbolicLink(entry(), Path.of("..data", ENTRY));
		}
	}

}
