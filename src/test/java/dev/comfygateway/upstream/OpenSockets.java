package dev.comfygateway.upstream;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** Open sockets and descriptors of this process, read from {@code /proc}. */
final class OpenSockets {

	private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

	private static final int REMOTE_ADDRESS = 2;

	private static final int INODE = 9;

	private OpenSockets() {
	}

	/**
	 * Returns the number of sockets with this remote port that have a descriptor. Sockets
	 * that only the peer has closed are counted too.
	 */
	static long to(int port) {
		String end = String.format(Locale.ROOT, ":%04X", port);
		return Stream.of("/proc/self/net/tcp", "/proc/self/net/tcp6")
			.flatMap(table -> lines(Path.of(table)).stream())
			.map(line -> line.strip().split("\\s+"))
			.filter(fields -> fields[REMOTE_ADDRESS].endsWith(end) && !fields[INODE].equals("0"))
			.count();
	}

	static long descriptors() {
		try (Stream<Path> open = Files.list(DESCRIPTORS)) {
			return open.count();
		}
		catch (IOException e) {
			throw new UncheckedIOException(e);
		}
	}

	private static List<String> lines(Path table) {
		try {
			return Files.readAllLines(table);
		}
		catch (IOException e) {
			throw new UncheckedIOException(e);
		}
	}

}
