import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * Simulated Comfy Cloud of a cluster. The simulator listens on the loopback address alone;
 * this forwards port 8188 to it, and port 8189 sets its state:
 *
 * <ul>
 * <li>{@code PUT /key/KEY}: the one key that is accepted</li>
 * <li>{@code PUT /queue/NUMBER}: the length of the queue</li>
 * <li>{@code GET /requests}: number of requests so far</li>
 * </ul>
 *
 * <p>
 * {@code SIMULATOR_KEY} is the key at the start. Where it is empty, the queue has one item
 * and no key is needed, as with a self-hosted ComfyUI.
 */
public class Simulator {

	private static final byte[] ONE_ITEM = "{\"exec_info\": {\"queue_remaining\": 1}}".getBytes(StandardCharsets.UTF_8);

	public static void main(String[] args) throws IOException {
		String key = System.getenv().getOrDefault("SIMULATOR_KEY", "");
		SimulatedComfyCloud upstream = SimulatedComfyCloud.start(0, key);
		if (key.isEmpty()) {
			upstream.answer(200, Map.of("Content-Type", "application/json"), ONE_ITEM);
		}
		HttpServer state = HttpServer.create(new InetSocketAddress(8189), 0);
		state.createContext("/", exchange -> setState(upstream, exchange));
		state.start();
		try (ServerSocket callers = new ServerSocket(8188)) {
			while (true) {
				Socket caller = callers.accept();
				Thread.ofVirtual().start(() -> forward(caller, upstream.port()));
			}
		}
	}

	private static void setState(SimulatedComfyCloud upstream, HttpExchange exchange) throws IOException {
		String[] path = exchange.getRequestURI().getPath().split("/");
		int status = 200;
		String answer = "";
		switch (exchange.getRequestMethod() + " " + (path.length > 1 ? path[1] : "")) {
			case "PUT key" -> upstream.acceptKey(path[2]);
			case "PUT queue" -> upstream.queueRemaining(Long.parseLong(path[2]));
			case "GET requests" -> answer = upstream.received().size() + "\n";
			default -> status = 404;
		}
		byte[] body = answer.getBytes(StandardCharsets.US_ASCII);
		exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
		if (body.length > 0) {
			exchange.getResponseBody().write(body);
		}
		exchange.close();
	}

	private static void forward(Socket caller, int port) {
		try (caller; Socket simulator = new Socket(InetAddress.getLoopbackAddress(), port)) {
			caller.setTcpNoDelay(true);
			simulator.setTcpNoDelay(true);
			Thread requests = Thread.ofVirtual().start(() -> copy(caller, simulator));
			copy(simulator, caller);
			// The simulator has ended the connection, so that its caller is not waited for
			caller.close();
			requests.join();
		}
		catch (IOException | InterruptedException ended) {
			// One of both is gone, and so is the connection
		}
	}

	private static void copy(Socket from, Socket to) {
		try {
			from.getInputStream().transferTo(to.getOutputStream());
			to.shutdownOutput();
		}
		catch (IOException ended) {
			try {
				to.close();
			}
			catch (IOException ignored) {
				// It is closed
			}
		}
	}

}
