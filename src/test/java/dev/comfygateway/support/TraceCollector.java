package dev.comfygateway.support;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** OTLP trace collector that records the received bytes. */
public final class TraceCollector implements AutoCloseable {

	private final HttpServer server;

	private final List<String> paths = new CopyOnWriteArrayList<>();

	/** Received bytes, one character per byte. */
	private final StringBuffer received = new StringBuffer();

	public TraceCollector() throws IOException {
		this.server = HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 0);
		server.createContext("/", this::receive);
		server.start();
	}

	private void receive(HttpExchange exchange) throws IOException {
		try (exchange) {
			paths.add(exchange.getRequestMethod() + " " + exchange.getRequestURI());
			received.append(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.ISO_8859_1));
			exchange.getResponseHeaders().set("Content-Type", "application/x-protobuf");
			exchange.sendResponseHeaders(200, -1);
		}
	}

	public String url() {
		return "http://127.0.0.1:" + server.getAddress().getPort();
	}

	public List<String> paths() {
		return paths;
	}

	public String received() {
		return received.toString();
	}

	/** Returns an id as encoded in spans. */
	public static String id(String hexadecimal) {
		return new String(HexFormat.of().parseHex(hexadecimal), StandardCharsets.ISO_8859_1);
	}

	@Override
	public void close() {
		server.stop(0);
	}

}
