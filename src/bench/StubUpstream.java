import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Slow upstream that counts what it is asked:
 * {@code java StubUpstream.java PORT DELAY_MILLIS KEY}.
 *
 * <p>
 * {@code GET /count} tells the number of requests for {@code /api/prompt} and how many of
 * them were ever under way at once, and starts both anew. {@code GET /delay?2000} sets
 * another delay.
 */
public class StubUpstream {

	private static final byte[] BODY = "{\"exec_info\":{\"queue_remaining\":3}}".getBytes(StandardCharsets.UTF_8);

	private volatile long delayMillis;

	private final String key;

	private final AtomicInteger requests = new AtomicInteger();

	private final AtomicInteger underWay = new AtomicInteger();

	private final AtomicInteger mostUnderWay = new AtomicInteger();

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
		server.createContext("/delay", stub::delay);
		server.start();
	}

	private void prompt(HttpExchange exchange) throws IOException {
		requests.incrementAndGet();
		mostUnderWay.accumulateAndGet(underWay.incrementAndGet(), Math::max);
		try (exchange) {
			Thread.sleep(delayMillis);
			boolean allowed = key.equals(exchange.getRequestHeaders().getFirst("X-API-Key"));
			answer(exchange, allowed ? 200 : 401, allowed ? BODY : new byte[] { '{', '}' });
		}
		catch (InterruptedException ignored) {
			Thread.currentThread().interrupt();
		}
		finally {
			underWay.decrementAndGet();
		}
	}

	private void count(HttpExchange exchange) throws IOException {
		String counts = "requests=%d most_under_way=%d%n".formatted(requests.getAndSet(0), mostUnderWay.getAndSet(0));
		try (exchange) {
			answer(exchange, 200, counts.getBytes(StandardCharsets.UTF_8));
		}
	}

	private void delay(HttpExchange exchange) throws IOException {
		delayMillis = Long.parseLong(exchange.getRequestURI().getQuery());
		try (exchange) {
			answer(exchange, 200, exchange.getRequestURI().getQuery().getBytes(StandardCharsets.UTF_8));
		}
	}

	private static void answer(HttpExchange exchange, int status, byte[] body) throws IOException {
		exchange.getResponseHeaders().set("Content-Type", "application/json");
		exchange.sendResponseHeaders(status, body.length);
		exchange.getResponseBody().write(body);
	}

}
