package dev.comfygateway.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.comfygateway.simulator.Behaviour;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.upstream.UpstreamFailure.Reason;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Tests of the connections that remain open after each type of failure. */
class UpstreamHttpClientFactoryIT {

	private static final Duration TIMEOUT = Duration.ofSeconds(1);

	private static final String HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

	private static final String BODY = "{\"exec_info\": {\"queue_remaining\": 3}}";

	private SimulatedComfyCloud upstream;

	private ClientFixture fixture;

	@BeforeEach
	void start() {
		upstream = SimulatedComfyCloud.start(0, ClientFixture.KEY);
		fixture = ClientFixture.withShortDeadline(upstream.baseUrl());
	}

	@AfterEach
	void stop() {
		fixture.close();
		upstream.close();
	}

	@ParameterizedTest(name = "{0}")
	@MethodSource("behaviours")
	void fetchWhenFailedTwelveTimesLeavesAtMostOneConnection(String name, Behaviour behaviour) {
		upstream.behave(behaviour);
		for (int i = 0; i < 12; i++) {
			assertThat(fixture.fetch()).isInstanceOf(UpstreamFailure.class);
		}
		assertAtMostOneConnectionIsOpen();
		assertConnectionIsReused();
	}

	static Stream<Arguments> behaviours() {
		return all().entrySet().stream().map(entry -> Arguments.of(entry.getKey(), entry.getValue()));
	}

	/** All failures, by name. */
	static Map<String, Behaviour> all() {
		Map<String, Behaviour> all = new LinkedHashMap<>();
		all.putAll(quick());
		all.put("stalls", Behaviour.STALL);
		all.put("stalls in its headers", Behaviour.rawThenStall(ascii("HTTP/1.1 200 OK\r\nContent-")));
		all.put("stalls before its body", Behaviour.rawThenStall(ascii(HEAD + "Content-Length: 38\r\n\r\n")));
		all.put("stalls in its body", Behaviour.rawThenStall(ascii(HEAD + "Content-Length: 38\r\n\r\n{\"exec_")));
		all.put("stalls in a chunk",
				Behaviour.rawThenStall(ascii(HEAD + "Transfer-Encoding: chunked\r\n\r\n26\r\n{\"exec_")));
		all.put("stalls between chunks",
				Behaviour.rawThenStall(ascii(HEAD + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n")));
		all.put("stalls in the body of an error",
				Behaviour.rawThenStall(ascii("HTTP/1.1 503 Busy\r\nContent-Length: 38\r\n\r\n{\"code")));
		all.put("stalls after an interim response",
				Behaviour.rawThenStall(ascii("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")));
		all.put("repeats status 100", Behaviour.rawWithoutEnd(new byte[0], ascii("HTTP/1.1 100 Continue\r\n\r\n")));
		all.put("repeats status 103",
				Behaviour.rawWithoutEnd(new byte[0], ascii("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")));
		all.put("repeats status 199", Behaviour.rawWithoutEnd(new byte[0], ascii("HTTP/1.1 199 Odd\r\n\r\n")));
		all.put("is too slow", Behaviour.DRIP);
		all.put("has no end and no length", Behaviour.rawThenStall(ascii(HEAD + "\r\n" + BODY)));
		return all;
	}

	/** Failures that occur before the deadline, by name. */
	static Map<String, Behaviour> quick() {
		Map<String, Behaviour> quick = new LinkedHashMap<>();
		quick.put("closes", Behaviour.CLOSE);
		quick.put("resets", Behaviour.RESET);
		quick.put("closes in its headers", Behaviour.raw(ascii("HTTP/1.1 200 OK\r\nContent-")));
		quick.put("resets in its headers", Behaviour.rawThenReset(ascii("HTTP/1.1 200 OK\r\nContent-")));
		quick.put("closes in its body", Behaviour.CUT);
		quick.put("resets in its body", Behaviour.RESET_AFTER_HEADERS);
		for (int status : new int[] { 302, 400, 401, 403, 404, 407, 429, 500, 503, 520 }) {
			quick.put("is " + status, Behaviour.answer(status, "{\"code\":\"A\",\"message\":\"b\"}"));
		}
		quick.put("requests other credentials",
				Behaviour.answer(401, Map.of("WWW-Authenticate", "Basic realm=\"x\""), new byte[0]));
		quick.put("redirects to itself", Behaviour.answer(302, Map.of("Location", "/api/prompt"), new byte[0]));
		quick.put("is a web page", Behaviour.RUBBISH);
		quick.put("violates the contract", Behaviour.answer(200, "[]"));
		quick.put("has 65 KiB", Behaviour.answer(200, Map.of(), new byte[65 * 1024]));
		quick.put("is an error of 1 MiB", Behaviour.answer(500, Map.of(), new byte[1024 * 1024]));
		quick.put("never ends", Behaviour.ENDLESS);
		quick.put("never ends and has no length", Behaviour.rawWithoutEnd(ascii(HEAD + "\r\n"), ascii(BODY)));
		quick.put("announces exabytes",
				Behaviour.rawWithoutEnd(ascii(HEAD + "Content-Length: %s\r\n\r\n".formatted(1L << 62)), ascii(BODY)));
		quick.put("has endless headers", Behaviour.rawWithoutEnd(ascii(HEAD), ascii("X-Filler: x\r\n")));
		quick.put("has a header of 2 MB",
				Behaviour.rawThenKeep(ascii(HEAD + "X-Filler: " + "x".repeat(2_000_000) + "\r\n\r\n{}")));
		quick.put("has endless trailers", Behaviour
			.rawWithoutEnd(ascii(HEAD + "Transfer-Encoding: chunked\r\n\r\n0\r\n"), ascii("X-Filler: x\r\n")));
		quick.put("switches protocols",
				Behaviour.rawThenKeep(ascii("HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")));
		quick.put("switches to WebSocket", Behaviour
			.rawThenKeep(ascii("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nxyz")));
		quick.put("is SSH", Behaviour.rawThenKeep(ascii("SSH-2.0-OpenSSH_9.2p1\r\n")));
		quick.put("is random", Behaviour.rawThenKeep(random()));
		quick.put("is a gzip bomb", Behaviour.answer(200, Map.of("Content-Encoding", "gzip"), bomb()));
		quick.put("has a body after 204", Behaviour.rawThenKeep(ascii("HTTP/1.1 204 No\r\n\r\n" + BODY)));
		quick.put("has a body after 304",
				Behaviour.rawThenKeep(ascii("HTTP/1.1 304 No\r\nContent-Length: 38\r\n\r\n" + BODY)));
		quick.put("is shorter than its length", Behaviour.raw(ascii(HEAD + "Content-Length: 99\r\n\r\n" + BODY)));
		quick.put("has two lengths",
				Behaviour.rawThenKeep(ascii(HEAD + "Content-Length: 38\r\nContent-Length: 3\r\n\r\n" + BODY)));
		quick.put("has a negative length", Behaviour.rawThenKeep(ascii(HEAD + "Content-Length: -1\r\n\r\n" + BODY)));
		quick.put("has an oversized chunk", Behaviour
			.rawThenKeep(ascii(HEAD + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\n" + BODY)));
		quick.put("has a malformed chunk",
				Behaviour.rawThenKeep(ascii(HEAD + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n")));
		quick.put("is 099", Behaviour.rawThenKeep(ascii("HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n")));
		quick.put("is 999", Behaviour.rawThenKeep(ascii("HTTP/1.1 999 High\r\nContent-Length: 0\r\n\r\n")));
		quick.put("is HTTP/1.0", Behaviour.rawThenKeep(ascii("HTTP/1.0 500 No\r\nContent-Length: 0\r\n\r\n")));
		quick.put("is HTTP/2", Behaviour.rawThenKeep(new byte[] { 0, 0, 0, 4, 0, 0, 0, 0, 0 }));
		return quick;
	}

	@Test
	void fetchWhenUnsolicitedResponseFollowsIgnoresIt() {
		useLongDeadline();
		String first = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 38\r\n\r\n"
				+ "{\"exec_info\": {\"queue_remaining\": 11}}";
		upstream.behave(Behaviour.rawThenKeep(ascii(first + first.replace("11", "22"))));
		for (int i = 0; i < 12; i++) {
			assertThat(fixture.fetch()).isInstanceOfSatisfying(UpstreamAnswer.class,
					answered -> assertThat(answered.promptInfo().toString()).contains("11"));
		}
		assertAtMostOneConnectionIsOpen();
	}

	@Test
	void fetchWhenUpstreamSendsBeforeRequestLeavesAtMostOneConnection() {
		useLongDeadline();
		upstream.greet(ascii("SSH-2.0-OpenSSH_9.2p1\r\n"));
		upstream.behave(Behaviour.STALL);
		for (int i = 0; i < 12; i++) {
			assertThat(fixture.failure().reason()).isIn(Reason.PROTOCOL_ERROR, Reason.RESPONSE_INCOMPLETE);
		}
		assertAtMostOneConnectionIsOpen();
		upstream.greet(new byte[0]);
		assertConnectionIsReused();
	}

	/** Replaces the client with one that has the default deadline of the fixture. */
	private void useLongDeadline() {
		fixture.close();
		fixture = ClientFixture.of(upstream.baseUrl());
	}

	private void assertAtMostOneConnectionIsOpen() {
		await().pollDelay(Duration.ZERO).atMost(TIMEOUT).untilAsserted(() -> {
			assertThat(upstream.openConnections()).isLessThanOrEqualTo(1);
			assertThat(OpenSockets.to(upstream.port())).isLessThanOrEqualTo(1);
		});
	}

	private void assertConnectionIsReused() {
		upstream.behave(Behaviour.NORMAL);
		awaitAnswer();
		int connections = upstream.connections();
		awaitAnswer();
		assertThat(upstream.connections()).isEqualTo(connections);
		assertAtMostOneConnectionIsOpen();
	}

	private void awaitAnswer() {
		await().pollDelay(Duration.ZERO).atMost(TIMEOUT).until(() -> fixture.fetch() instanceof UpstreamAnswer);
	}

	private static byte[] random() {
		byte[] bytes = new byte[512];
		new Random(1).nextBytes(bytes);
		return bytes;
	}

	private static byte[] bomb() {
		ByteArrayOutputStream bytes = new ByteArrayOutputStream();
		try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
			byte[] zeros = new byte[1024 * 1024];
			for (int i = 0; i < 40; i++) {
				gzip.write(zeros);
			}
		}
		catch (IOException e) {
			throw new UncheckedIOException(e);
		}
		return bytes.toByteArray();
	}

	private static byte[] ascii(String text) {
		return text.getBytes(StandardCharsets.US_ASCII);
	}

}
