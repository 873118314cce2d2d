package dev.comfygateway.events;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

import static org.assertj.core.api.Assertions.assertThat;

/** Client of the event stream that collects the received events. */
final class EventReader implements AutoCloseable {

	private static final Map<String, String> END = Map.of("event", "the end of the stream");

	private final Socket socket;

	private final List<String> head = new ArrayList<>();

	private final BlockingQueue<Map<String, String>> events = new LinkedBlockingQueue<>();

	private final AtomicInteger comments = new AtomicInteger();

	private @Nullable Thread thread;

	private EventReader(Socket socket) {
		this.socket = socket;
	}

	/** Connects. Each header is a complete line. */
	static EventReader connect(int port, String query, String... headers) throws IOException {
		EventReader reader = new EventReader(new Socket("127.0.0.1", port));
		String request = "GET /api/prompt/events" + query + " HTTP/1.1\r\nHost: localhost\r\n"
				+ String.join("", List.of(headers).stream().map(header -> header + "\r\n").toList()) + "\r\n";
		reader.socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
		BufferedReader in = new BufferedReader(
				new InputStreamReader(reader.socket.getInputStream(), StandardCharsets.UTF_8));
		for (String line = in.readLine(); line != null && !line.isEmpty(); line = in.readLine()) {
			reader.head.add(line);
		}
		reader.thread = Thread.ofVirtual().start(() -> reader.read(in));
		return reader;
	}

	/** Reads the chunks, which contain only complete lines. */
	private void read(BufferedReader in) {
		Map<String, String> event = new LinkedHashMap<>();
		try {
			for (String size = in.readLine(); size != null && !size.equals("0"); size = in.readLine()) {
				int left = Integer.parseInt(size.strip(), 16);
				while (left > 0) {
					String line = in.readLine();
					left -= line.getBytes(StandardCharsets.UTF_8).length + 1;
					event = add(event, line);
				}
				in.readLine();
			}
		}
		catch (IOException | NumberFormatException ignored) {
			// The stream has ended
		}
		events.add(END);
	}

	private Map<String, String> add(Map<String, String> event, String line) {
		if (line.startsWith(":")) {
			// Only counted, since comments are sent at times that tests do not control
			comments.incrementAndGet();
			return event;
		}
		if (line.isEmpty()) {
			if (!event.isEmpty()) {
				events.add(event);
			}
			return new LinkedHashMap<>();
		}
		int colon = line.indexOf(':');
		event.put(line.substring(0, colon), line.substring(colon + 1).strip());
		return event;
	}

	int comments() {
		return comments.get();
	}

	String status() {
		return head.getFirst();
	}

	List<String> head() {
		return head;
	}

	/** Returns the fields of the next event. */
	Map<String, String> next() throws InterruptedException {
		Map<String, String> event = events.poll(10, TimeUnit.SECONDS);
		assertThat(event).as("an event").isNotNull();
		return event == null ? END : event;
	}

	boolean isEnd(@Nullable Map<String, String> event) {
		return event == END;
	}

	@Override
	public void close() throws IOException {
		socket.close();
		// The kernel closes the connection when no thread reads from it
		try {
			Objects.requireNonNull(thread).join();
		}
		catch (InterruptedException ignored) {
			Thread.currentThread().interrupt();
		}
	}

}
