import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * HTTP request, encoded once. The header fields come from the file of the option
 * {@code headers=}, as in {@code route.lua}: {@code @HIGH@} and {@code @LOW@} are the halves
 * of a number that increases with each request, and {@code @SEED@} is constant in a run.
 */
final class Request {

	private static final String HIGH = "@HIGH@";

	private static final String LOW = "@LOW@";

	/** Four hexadecimal digits for each number. */
	private static final int[] DIGITS = new int[1 << 16];

	static {
		for (int i = 0; i < DIGITS.length; i++) {
			DIGITS[i] = ByteBuffer.wrap("%04x".formatted(i).getBytes(StandardCharsets.ISO_8859_1)).getInt();
		}
	}

	private final ByteBuffer bytes;

	private final int[] highs;

	private final int[] lows;

	private int number;

	Request(Map<String, String> options, URI uri) throws IOException {
		StringBuilder text = new StringBuilder("GET %s HTTP/1.1\r\nHost: %s\r\n".formatted(uri.getPath(), uri.getAuthority()));
		if (options.containsKey("headers")) {
			String seed = "%08x".formatted(System.currentTimeMillis() / 1000);
			for (String line : Files.readAllLines(Path.of(options.get("headers")))) {
				text.append(line.replace("@SEED@", seed)).append("\r\n");
			}
		}
		text.append("\r\n");
		List<Integer> highPlaces = new ArrayList<>();
		List<Integer> lowPlaces = new ArrayList<>();
		for (int at = text.indexOf("@"); at >= 0; at = text.indexOf("@", at)) {
			if (text.indexOf(HIGH, at) == at) {
				highPlaces.add(at);
				text.replace(at, at + HIGH.length(), "0000");
			}
			else if (text.indexOf(LOW, at) == at) {
				lowPlaces.add(at);
				text.replace(at, at + LOW.length(), "0000");
			}
			else {
				at++;
			}
		}
		this.highs = highPlaces.stream().mapToInt(Integer::intValue).toArray();
		this.lows = lowPlaces.stream().mapToInt(Integer::intValue).toArray();
		byte[] encoded = text.toString().getBytes(StandardCharsets.ISO_8859_1);
		this.bytes = ByteBuffer.allocateDirect(encoded.length).put(encoded);
	}

	/** Returns the complete next request, which is valid until the next call. */
	ByteBuffer next() {
		number++;
		for (int at : highs) {
			bytes.putInt(at, DIGITS[number >>> 16]);
		}
		for (int at : lows) {
			bytes.putInt(at, DIGITS[number & 0xffff]);
		}
		return bytes.rewind();
	}

	/** Sends the next request on a connection without unsent data. */
	void send(SocketChannel channel) throws IOException {
		ByteBuffer next = next();
		channel.write(next);
		if (next.hasRemaining()) {
			throw new IOException("The server does not read");
		}
	}

	/** Sends the next request except its last quarter. */
	void sendInPart(SocketChannel channel) throws IOException {
		ByteBuffer next = next();
		channel.write(next.limit(next.capacity() * 3 / 4));
		next.clear();
	}

}
