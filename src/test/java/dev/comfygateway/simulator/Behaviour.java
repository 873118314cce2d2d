package dev.comfygateway.simulator;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reaction of the simulator to a request. Named behaviours can be set over HTTP. */
public final class Behaviour {

	/** Responds like Comfy Cloud: 200 for the accepted key, 401 for any other. */
	public static final Behaviour NORMAL = named("normal", "answers like Comfy Cloud", Exchange::answerNormally);

	/** 401 for every key. */
	public static final Behaviour REFUSE = named("refuse", "answers 401, whatever the key", exchange -> exchange
		.answer(401, Map.of(), error("UNAUTHORIZED", "Invalid or missing authentication credentials")));

	/** 403. */
	public static final Behaviour FORBID = named("forbid", "answers 403",
			exchange -> exchange.answer(403, Map.of(), error("FORBIDDEN", "This plan has no access to the API")));

	/** 500. */
	public static final Behaviour FAIL = named("fail", "answers 500",
			exchange -> exchange.answer(500, Map.of(), error("INTERNAL_ERROR", "Something went wrong")));

	/** 503 without {@code Retry-After}. */
	public static final Behaviour UNAVAILABLE = named("unavailable", "answers 503", exchange -> exchange.answer(503,
			Map.of(), error("SERVICE_UNAVAILABLE", "The service is temporarily unavailable")));

	/** 429 with {@code Retry-After: 7}. */
	public static final Behaviour LIMIT = named("limit", "answers 429 with `Retry-After: 7`",
			exchange -> exchange.answer(429, Map.of("Retry-After", "7"), error("RATE_LIMITED", "Too many requests")));

	/** No response until the client closes the connection. */
	public static final Behaviour STALL = named("stall", "reads requests and never answers", exchange -> {
		exchange.awaitClientGone();
		exchange.close();
	});

	/** Response that ends in the middle of its body. */
	public static final Behaviour CUT = named("cut", "cuts its answers off in the body", exchange -> {
		exchange.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 38\r\n\r\n{\"exec_info\"");
		exchange.close();
	});

	/** 200 with a web page. */
	public static final Behaviour RUBBISH = named("rubbish", "answers 200 with a web page",
			exchange -> exchange.answer(200, Map.of("Content-Type", "text/html"),
					bytes("<!DOCTYPE html><title>Sign in</title><p>Please sign in to continue.")));

	/** Connection closed without a response. */
	public static final Behaviour CLOSE = named("close", "closes the connection without an answer", Exchange::close);

	/** Connection reset without a response. */
	public static final Behaviour RESET = named("reset", "resets the connection without an answer", Exchange::reset);

	/** Connection reset after the headers of the response. */
	public static final Behaviour RESET_AFTER_HEADERS = named("reset-after-headers",
			"resets the connection after the headers of its answer", exchange -> {
				exchange
					.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 38\r\n\r\n{\"exec_");
				exchange.reset();
			});

	/** Response that is sent byte by byte and takes minutes. */
	public static final Behaviour DRIP = named("drip", "sends its answers a byte at a time, for minutes", exchange -> {
		exchange.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n");
		while (!exchange.isClientGoneWithinAMoment()) {
			exchange.write(" ");
		}
		exchange.close();
	});

	/** Response with an endless body. */
	public static final Behaviour ENDLESS = named("endless", "sends answers without end", exchange -> {
		exchange.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
		String chunk = "2000\r\n" + " ".repeat(0x2000) + "\r\n";
		while (!exchange.isClientGone()) {
			exchange.write(chunk);
		}
		exchange.close();
	});

	private static final List<Behaviour> NAMED = List.of(NORMAL, REFUSE, FORBID, FAIL, UNAVAILABLE, LIMIT, STALL, CUT,
			RUBBISH, CLOSE, RESET, RESET_AFTER_HEADERS, DRIP, ENDLESS);

	private final String name;

	private final String description;

	private final Act act;

	private Behaviour(String name, String description, Act act) {
		this.name = name;
		this.description = description;
		this.act = act;
	}

	/** Same response to every request, for any key and path. */
	public static Behaviour answer(int status, Map<String, String> headers, byte[] body) {
		Map<String, String> copy = new LinkedHashMap<>(headers);
		return named("answer", "answers " + status, exchange -> exchange.answer(status, copy, body));
	}

	/** Same JSON response to every request, for any key and path. */
	public static Behaviour answer(int status, String json) {
		return answer(status, Map.of(), bytes(json));
	}

	/** Arbitrary bytes, after which the connection is closed. */
	public static Behaviour raw(byte[] bytes) {
		return named("raw", "sends bytes", exchange -> {
			exchange.end();
			exchange.write(bytes);
			exchange.close();
		});
	}

	/** Arbitrary bytes; the connection stays open until the client closes it. */
	public static Behaviour rawThenStall(byte[] bytes) {
		return named("raw-then-stall", "sends bytes and stalls", exchange -> {
			exchange.write(bytes);
			exchange.awaitClientGone();
			exchange.close();
		});
	}

	/**
	 * Arbitrary bytes, followed by others repeatedly until the client closes the
	 * connection.
	 */
	public static Behaviour rawWithoutEnd(byte[] bytes, byte[] repeated) {
		return named("raw-without-end", "sends bytes without end", exchange -> {
			exchange.write(bytes);
			while (!exchange.isClientGone()) {
				exchange.write(repeated);
			}
			exchange.close();
		});
	}

	/** Arbitrary bytes; the connection stays open for the next request. */
	public static Behaviour rawThenKeep(byte[] bytes) {
		return named("raw-then-keep", "sends bytes", exchange -> {
			exchange.end();
			exchange.write(bytes);
		});
	}

	/** Arbitrary bytes, after which the connection is reset. */
	public static Behaviour rawThenReset(byte[] bytes) {
		return named("raw-then-reset", "sends bytes and resets the connection", exchange -> {
			exchange.write(bytes);
			exchange.reset();
		});
	}

	/** Normal response, after which the connection is closed without announcement. */
	public static Behaviour normalThenClose() {
		return named("normal-then-close", "answers like Comfy Cloud and closes the connection", exchange -> {
			exchange.answerNormally();
			exchange.close();
		});
	}

	/** Another behaviour after an action, such as a change of time. */
	public static Behaviour after(Runnable first, Behaviour then) {
		return named(then.name, then.description, exchange -> {
			first.run();
			then.perform(exchange);
		});
	}

	static List<Behaviour> all() {
		return NAMED;
	}

	String name() {
		return name;
	}

	String description() {
		return description;
	}

	void perform(Exchange exchange) throws IOException {
		act.perform(exchange);
	}

	static byte[] error(String code, String message) {
		return bytes("{\"code\": \"%s\", \"message\": \"%s\"}".formatted(code, message));
	}

	private static Behaviour named(String name, String description, Act act) {
		return new Behaviour(name, description, act);
	}

	private static byte[] bytes(String text) {
		return text.getBytes(StandardCharsets.UTF_8);
	}

	@Override
	public String toString() {
		return name;
	}

	/** Action on a request. */
	@FunctionalInterface
	private interface Act {

		void perform(Exchange exchange) throws IOException;

	}

}
