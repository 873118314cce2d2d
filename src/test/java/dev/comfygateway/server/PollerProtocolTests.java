package dev.comfygateway.server;

import static org.assertj.core.api.Assertions.assertThat;

import jakarta.servlet.AsyncContext;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.apache.catalina.Context;
import org.apache.catalina.LifecycleException;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;
import org.apache.coyote.http11.AbstractHttp11Protocol;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PollerProtocolTests {

	private static final String REQUEST = "GET /memory HTTP/1.1\r\nHost: localhost\r\n\r\n";

	private static final String NUMBERED = "GET /memory HTTP/1.1\r\nHost: localhost\r\nNumbered: yes\r\n\r\n";

	/** Bytes, more than the sockets' buffers hold. */
	private static final int LARGE = 32 * 1024 * 1024;

	private final BlockingQueue<String> large = new LinkedBlockingQueue<>();

	private final BlockingQueue<AsyncContext> waiting = new LinkedBlockingQueue<>();

	private final AtomicInteger numbers = new AtomicInteger();

	private final AtomicBoolean holds = new AtomicBoolean(true);

	private final AtomicInteger requests = new AtomicInteger();

	/** What each request found that it had waited for. */
	private final BlockingQueue<Optional<Wait>> taken = new LinkedBlockingQueue<>();

	private final BlockingQueue<TestWait> waits = new LinkedBlockingQueue<>();

	private final AtomicBoolean mustWait = new AtomicBoolean();

	private final Tomcat tomcat = new Tomcat();

	@BeforeEach
	void start(@TempDir Path directory) throws LifecycleException {
		PollerProtocol protocol = new PollerProtocol();
		protocol.setMaxKeepAliveRequests(-1);
		protocol.answerAtOnce("/memory");
		protocol.keepWaiting(() -> mustWait.get() ? new TestWait(waits) : null);
		Connector connector = new Connector(protocol);
		connector.setPort(0);
		tomcat.setBaseDir(directory.toString());
		tomcat.setConnector(connector);
		Context context = tomcat.addContext("", directory.toString());
		Tomcat.addServlet(context, "threads", new ThreadName()).setAsyncSupported(true);
		context.addServletMapping("/", "threads");
		tomcat.start();
	}

	@AfterEach
	void stop() throws LifecycleException {
		tomcat.stop();
		tomcat.destroy();
	}

	@Test
	void getWhenPathIsAnsweredAtOnceIsAnsweredByPoller() throws IOException {
		try (Caller caller = new Caller()) {
			assertThat(caller.send(REQUEST).readBody()).endsWith("-Poller");
		}
	}

	@Test
	void getWhenConnectionIsKeptIsAnsweredByPollerAgain() throws IOException {
		try (Caller caller = new Caller()) {
			caller.send(REQUEST).readBody();
			assertThat(caller.send(REQUEST).readBody()).endsWith("-Poller");
		}
	}

	@Test
	void getWhenOtherPathIsAnsweredByThreadOfItsOwn() throws IOException {
		try (Caller caller = new Caller()) {
			assertThat(caller.send(REQUEST.replace("/memory", "/memory/other")).readBody()).contains("-exec-");
		}
	}

	@Test
	void getWhenQueryIsAnsweredByThreadOfItsOwn() throws IOException {
		try (Caller caller = new Caller()) {
			assertThat(caller.send(REQUEST.replace("/memory", "/memory?a=b")).readBody()).contains("-exec-");
		}
	}

	@Test
	void postWhenPathIsAnsweredAtOnceIsAnsweredByThreadOfItsOwn() throws IOException {
		try (Caller caller = new Caller()) {
			assertThat(caller.send(REQUEST.replace("GET", "POST")).readBody()).contains("-exec-");
		}
	}

	@Test
	void getWhenSeveralComeAtOnceAreAnsweredByThreadOfTheirOwn() throws IOException {
		try (Caller caller = new Caller()) {
			caller.send(REQUEST + REQUEST + REQUEST);
			assertThat(caller.readBody()).contains("-exec-");
			assertThat(caller.readBody()).contains("-exec-");
			assertThat(caller.readBody()).contains("-exec-");
		}
	}

	@Test
	void getWhenItComesInPartsIsAnswered() throws IOException {
		try (Caller caller = new Caller()) {
			caller.send(REQUEST + REQUEST.substring(0, 20)).readBody();
			assertThat(caller.send(REQUEST.substring(20)).readBody()).contains("http-nio");
		}
	}

	@Test
	void getWhenNextComesWhileOneWaitsIsAnsweredInTurn() throws Exception {
		try (Caller caller = new Caller()) {
			caller.send(REQUEST.replace("\r\n\r\n", "\r\nWait: yes\r\n\r\n"));
			AsyncContext exchange = waiting.poll(20, TimeUnit.SECONDS);
			assertThat(exchange).isNotNull();
			caller.send(REQUEST);
			exchange.getResponse().getOutputStream().print("late");
			exchange.complete();
			assertThat(caller.readBody()).isEqualTo("late");
			assertThat(caller.readBody()).contains("http-nio");
		}
	}

	@Test
	void getWhenAnotherCallerDoesNotReadIsAnswered() throws Exception {
		try (Caller deaf = new Caller(); Caller caller = new Caller()) {
			deaf.send(REQUEST.replace("\r\n\r\n", "\r\nLarge: yes\r\n\r\n"));
			assertThat(large.poll(20, TimeUnit.SECONDS)).endsWith("-Poller");
			assertThat(caller.send(REQUEST).readBody()).endsWith("-Poller");
			assertThat(deaf.socket.getInputStream().readAllBytes()).hasSizeLessThan(LARGE);
		}
	}

	@Test
	void getWhenCallerLeavesAndOthersComeIsAnswered() throws IOException {
		for (int i = 0; i < 10; i++) {
			try (Caller caller = new Caller()) {
				caller.send(REQUEST);
			}
		}
		try (Caller caller = new Caller()) {
			assertThat(caller.send(REQUEST).readBody()).endsWith("-Poller");
		}
	}

	@Test
	void getWhenAnswerMayBeRepeatedIsRepeated() throws IOException {
		try (Caller caller = new Caller(); Caller another = new Caller()) {
			// A second may end between the two, but not each time
			assertThat(IntStream.range(0, 5)
				.anyMatch(i -> caller.send(NUMBERED).readBody().equals(another.send(NUMBERED).readBody()))).isTrue();
		}
	}

	@Test
	void getWhenAnswerHoldsNoMoreIsAnsweredAnew() throws IOException {
		try (Caller caller = new Caller()) {
			caller.send(NUMBERED).readBody();
			holds.set(false);
			String answer = caller.send(NUMBERED).readBody();
			assertThat(caller.send(NUMBERED).readBody()).isNotEqualTo(answer);
		}
	}

	@Test
	void getWhenConnectionIsToBeClosedIsNotRepeated() throws IOException {
		String last = NUMBERED.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
		try (Caller caller = new Caller(); Caller another = new Caller()) {
			assertThat(caller.send(last).readBody()).isNotEqualTo(another.send(last).readBody());
			assertThat(caller.socket.getInputStream().read()).isNegative();
		}
	}

	@Test
	void getWhenServerIsPausedIsNotRepeated() throws IOException {
		try (Caller caller = new Caller()) {
			caller.send(NUMBERED).readBody();
			tomcat.getConnector().pause();
			// As everything then is: refused, or closed without an answer
			assertThat(caller.send(NUMBERED).readBody()).isEmpty();
		}
	}

	@Test
	void getWhenConnectionsEndAfterSomeRequestsIsNotRepeated() throws IOException {
		((AbstractHttp11Protocol<?>) tomcat.getConnector().getProtocolHandler()).setMaxKeepAliveRequests(100);
		try (Caller caller = new Caller()) {
			String answer = caller.send(NUMBERED).readBody();
			assertThat(caller.send(NUMBERED).readBody()).isNotEqualTo(answer);
		}
	}

	@Test
	void repeatWhileWhenNoPollerAnswersDoesNothing() throws IOException {
		String elsewhere = NUMBERED.replace("/memory", "/elsewhere");
		try (Caller caller = new Caller()) {
			String answer = caller.send(elsewhere).readBody();
			assertThat(caller.send(elsewhere).readBody()).isNotEqualTo(answer);
		}
	}

	@Test
	void getWhenAnswerIsOnItsWayIsReadWhenItHasCome() throws Exception {
		mustWait.set(true);
		try (Caller caller = new Caller()) {
			caller.send(REQUEST);
			TestWait wait = begun();
			assertThat(requests).hasValue(0);
			wait.answer.complete(null);
			assertThat(caller.readBody()).contains("-exec-");
			assertThat(taken.poll(20, TimeUnit.SECONDS)).contains(wait);
			assertThat(wait.ended.await(20, TimeUnit.SECONDS)).isTrue();
		}
	}

	@Test
	void getWhenAnswerDoesNotComeIsReadAllTheSame() throws Exception {
		mustWait.set(true);
		try (Caller caller = new Caller()) {
			caller.send(REQUEST);
			begun().answer.completeExceptionally(new IllegalStateException());
			assertThat(caller.readBody()).contains("-exec-");
		}
	}

	@Test
	void getWhenManyWaitForOneAnswerAreAllAnswered() throws Exception {
		mustWait.set(true);
		List<Caller> crowd = new ArrayList<>();
		try {
			for (int i = 0; i < 500; i++) {
				crowd.add(new Caller().send(REQUEST));
			}
			for (int i = 0; i < crowd.size(); i++) {
				begun().answer.complete(null);
			}
			for (Caller caller : crowd) {
				assertThat(caller.readBody()).contains("-exec-");
			}
		}
		finally {
			for (Caller caller : crowd) {
				caller.close();
			}
		}
	}

	@Test
	void getWhenItFollowsOneThatWaitedHasNotWaited() throws Exception {
		mustWait.set(true);
		try (Caller caller = new Caller()) {
			caller.send(REQUEST);
			TestWait wait = begun();
			caller.send(REQUEST);
			mustWait.set(false);
			wait.answer.complete(null);
			caller.readBody();
			assertThat(caller.readBody()).contains("http-nio");
			assertThat(taken.poll(20, TimeUnit.SECONDS)).contains(wait);
			assertThat(taken.poll(20, TimeUnit.SECONDS)).isEmpty();
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "Cache-Control: only-if-cached", "cache-control:no-cache", "Pragma: no-cache" })
	void getWhenItAsksOfTheCacheIsReadAtOnce(String header) throws IOException {
		mustWait.set(true);
		try (Caller caller = new Caller()) {
			caller.send(REQUEST.replace("\r\n\r\n", "\r\n" + header + "\r\n\r\n"));
			assertThat(caller.readBody()).endsWith("-Poller");
		}
		assertThat(waits).isEmpty();
	}

	@Test
	void getWhenServerIsPausedWhileItWaitsIsAnswered() throws Exception {
		mustWait.set(true);
		try (Caller caller = new Caller()) {
			caller.send(REQUEST);
			TestWait wait = begun();
			tomcat.getConnector().pause();
			wait.answer.complete(null);
			assertThat(caller.readBody()).contains("-exec-");
			assertThat(caller.socket.getInputStream().read()).isNegative();
		}
	}

	@Test
	void waitWhenCallerLeavesEnds() throws Exception {
		mustWait.set(true);
		TestWait wait;
		try (Caller caller = new Caller()) {
			caller.socket.setSoLinger(true, 0);
			caller.send(REQUEST);
			wait = begun();
		}
		wait.answer.complete(null);
		assertThat(wait.ended.await(20, TimeUnit.SECONDS)).isTrue();
	}

	@Test
	void waitWhenServerStopsEnds() throws Exception {
		mustWait.set(true);
		try (Caller caller = new Caller()) {
			caller.send(REQUEST);
			TestWait wait = begun();
			tomcat.stop();
			wait.answer.complete(null);
			assertThat(wait.ended.await(20, TimeUnit.SECONDS)).isTrue();
			assertThat(caller.readBody()).isEmpty();
		}
	}

	@Test
	void getWhenTooManyRequestsAreBegunAndNotEndedIsAnsweredAndTheNextOfThoseIsNot() throws Exception {
		List<Caller> crowd = new ArrayList<>();
		String part = REQUEST.substring(0, 20);
		try {
			for (int i = 0; i < 500; i++) {
				crowd.add(new Caller().send(part));
			}
			Awaitility.await().atMost(20, TimeUnit.SECONDS).until(() -> {
				try (Caller caller = new Caller()) {
					caller.socket.setSoTimeout(100);
					return caller.send(part).socket.getInputStream().read() < 0;
				}
				catch (SocketTimeoutException ex) {
					return false;
				}
			});
			try (Caller caller = new Caller()) {
				assertThat(caller.send(REQUEST).readBody()).endsWith("-Poller");
			}
			assertThat(crowd.getFirst().send(REQUEST.substring(20)).readBody()).contains("http-nio");
		}
		finally {
			for (Caller caller : crowd) {
				caller.close();
			}
		}
	}

	private TestWait begun() throws InterruptedException {
		TestWait wait = waits.poll(20, TimeUnit.SECONDS);
		assertThat(wait).isNotNull();
		return wait;
	}

	/**
	 * Answers with the name of the thread that answers, or with a number that is used
	 * once and may be repeated.
	 */
	private final class ThreadName extends HttpServlet {

		private static final long serialVersionUID = 1L;

		@Override
		protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
			requests.incrementAndGet();
			taken.add(Optional.ofNullable(PollerProtocol.takeWait()));
			if (request.getHeader("Wait") != null) {
				AsyncContext exchange = request.startAsync();
				response.setContentLength(4);
				waiting.add(exchange);
				return;
			}
			if (request.getHeader("Numbered") != null) {
				PollerProtocol.repeatWhile(holds::get);
				String number = Integer.toString(numbers.incrementAndGet());
				response.setContentLength(number.length());
				response.getOutputStream().print(number);
				return;
			}
			byte[] body = Thread.currentThread().getName().getBytes(StandardCharsets.US_ASCII);
			if (request.getHeader("Large") != null) {
				large.add(Thread.currentThread().getName());
				body = new byte[LARGE];
			}
			response.setContentLength(body.length);
			response.getOutputStream().write(body);
		}

	}

	private static final class TestWait implements Wait {

		final CompletableFuture<Void> answer = new CompletableFuture<>();

		final CountDownLatch ended = new CountDownLatch(1);

		private final Queue<TestWait> begun;

		TestWait(Queue<TestWait> begun) {
			this.begun = begun;
		}

		@Override
		public CompletableFuture<Void> answer() {
			return answer;
		}

		@Override
		public void begin() {
			begun.add(this);
		}

		@Override
		public void end() {
			ended.countDown();
		}

	}

	private final class Caller implements AutoCloseable {

		final Socket socket = new Socket(InetAddress.getLoopbackAddress(), tomcat.getConnector().getLocalPort());

		private final BufferedReader in;

		Caller() throws IOException {
			socket.setSoTimeout(20_000);
			in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
		}

		Caller send(String bytes) {
			try {
				socket.getOutputStream().write(bytes.getBytes(StandardCharsets.US_ASCII));
			}
			catch (IOException e) {
				throw new UncheckedIOException(e);
			}
			return this;
		}

		String readBody() {
			try {
				return body();
			}
			catch (IOException e) {
				throw new UncheckedIOException(e);
			}
		}

		private String body() throws IOException {
			int length = 0;
			String line = in.readLine();
			while (line != null && !line.isEmpty()) {
				if (line.startsWith("Content-Length: ")) {
					length = Integer.parseInt(line.substring("Content-Length: ".length()));
				}
				line = in.readLine();
			}
			char[] body = new char[length];
			int read = 0;
			while (read < length) {
				read += in.read(body, read, length - read);
			}
			return new String(body);
		}

		@Override
		public void close() throws IOException {
			socket.close();
		}

	}

}
