import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Slow upstream that counts its requests:
 * {@code java StubUpstream.java PORT DELAY_MILLIS KEY}.
 *
 * <p>
 * {@code GET /count} returns the number of requests for {@code /api/prompt} since the last
 * call. {@code GET /delay?2000} changes the delay, {@code GET /remaining?4} the number.
 */
public class StubUpstream {

	private volatile long remaining = 3;

	private volatile long delayMillis;

	private final String key;

	private final AtomicInteger requests = new AtomicInteger();

	StubUpstream(long delayMillis, String key) {
		this.delayMillis = delayMillis;
		this.key = key;
	}

	public static void main(String[] args) throws IOException {
		StubUpstream stub = new StubUpstream(Long.parseLong(args[1]), args[2]);
		HttpServer server = HttpServer
			.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(args[0])), 0);
		server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
		server.createContext("/api/prompt", stub::prompt);
		server.createContext("/count", stub::count);
		server.createContext("/delay", exchange -> stub.delayMillis = number(exchange));
		server.createContext("/remaining", exchange -> stub.remaining = number(exchange));
		server.start();
	}

	private void prompt(HttpExchange exchange) throws IOException {
		requests.incrementAndGet();
		try (exchange) {
			Thread.sleep(delayMillis);
			boolean allowed = key.equals(exchange.getRequestHeaders().getFirst("X-API-Key"));
			String body = allowed ? "{\"exec_info\":{\"queue_remaining\":%d}}".formatted(remaining) : "{}";
			answer(exchange, allowed ? 200 : 401, body);
		}
		catch (InterruptedException ignored) {
			Thread.currentThread().interrupt();
		}
	}

	private void count(HttpExchange exchange) throws IOException {
		try (exchange) {
			answer(exchange, 200, Integer.toString(requests.getAndSet(0)));
		}
	}

	private static long number(HttpExchange exchange) throws IOException {
		try (exchange) {
			String number = exchange.getRequestURI().getQuery();
			answer(exchange, 200, number);
			return Long.parseLong(number);
		}
	}

	private static void answer(HttpExchange exchange, int status, String body) throws IOException {
		byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
		exchange.getResponseHeaders().set("Content-Type", "application/json");
		exchange.sendResponseHeaders(status, bytes.length);
		exchange.getResponseBody().write(bytes);
	}

}
