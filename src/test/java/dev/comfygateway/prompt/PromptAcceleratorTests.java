package dev.comfygateway.prompt;

import dev.comfygateway.cache.Lookup;
import dev.comfygateway.cache.PromptCache;
import dev.comfygateway.cache.Snapshots;
import dev.comfygateway.server.ConnectionShare;
import dev.comfygateway.server.HeapBudget;
import dev.comfygateway.support.GatewayErrors;
import dev.comfygateway.support.GatewaySettings;
import dev.comfygateway.support.RawConnection;
import dev.comfygateway.support.RawConnection.Response;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.boot.jetty.autoconfigure.JettyServerProperties;
import org.springframework.boot.micrometer.observation.autoconfigure.ObservationProperties;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.never;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

/** Tests of callers that wait for a fetch without a thread. */
class PromptAcceleratorTests {

	private static final String REQUEST = RawConnection.request("GET", "/api/prompt");

	private final SimpleMeterRegistry meters = new SimpleMeterRegistry();

	private final PromptCache cache = mock(PromptCache.class);

	private final HeapBudget heap = mock(HeapBudget.class);

	private final WaitingCallers waitingCallers = new WaitingCallers(GatewaySettings.with("max-waiting=2"),
			new ConnectionShare(new JettyServerProperties()), meters);

	private final CompletableFuture<Lookup> answer = new CompletableFuture<>();

	private final AtomicInteger parked = new AtomicInteger();

	/** Number of parked requests when the last request ended. */
	private final AtomicInteger parkedAtEnd = new AtomicInteger();

	private final Server server = new Server();

	private final HttpConfiguration http = new HttpConfiguration();

	private final ServerConnector connector = new ServerConnector(server, new HttpConnectionFactory(http));

	@BeforeEach
	void start() throws Exception {
		when(cache.lookupInMemory(any())).thenReturn(Optional.empty());
		when(cache.lookup(any())).thenReturn(new Lookup.Awaited(answer));
		when(heap.park(any())).thenAnswer(call -> {
			parked.incrementAndGet();
			return Optional.<Runnable>of(parked::decrementAndGet);
		});
		PromptAccelerator accelerator = new PromptAccelerator(cache, waitingCallers, heap,
				new PromptRenderer(GatewaySettings.with()), new PromptMetrics(meters, new ObservationProperties()));
		accelerator.setHandler(new Handler.Abstract.NonBlocking() {
			@Override
			public boolean handle(Request request, org.eclipse.jetty.server.Response response, Callback callback) {
				response.setStatus(404);
				callback.succeeded();
				return true;
			}
		});
		server.setHandler(new Handler.Wrapper(accelerator) {
			@Override
			public boolean handle(Request request, org.eclipse.jetty.server.Response response, Callback callback)
					throws Exception {
				return super.handle(request, response, Callback.from(() -> parkedAtEnd.set(parked.get()), callback));
			}
		});
		http.setSendServerVersion(false);
		connector.setHost("127.0.0.1");
		server.addConnector(connector);
		server.start();
	}

	@AfterEach
	void stop() throws Exception {
		server.stop();
	}

	@Test
	void callersWaitUntilTheFetchEnds() throws IOException {
		try (RawConnection first = connect(); RawConnection second = connect()) {
			first.send(REQUEST);
			second.send(REQUEST);
			awaitWaiting(2);
			assertThat(parked).hasValue(2);
			answer.complete(fetched());
			assertThat(first.read().status()).isEqualTo(200);
			assertThat(second.read().body()).contains(":3}");
			awaitReleased();
			assertThat(count("collapsed")).isEqualTo(2);
		}
	}

	@Test
	void nextRequestOfTheConnectionIsAnsweredAfterTheWaitingOne() throws IOException {
		try (RawConnection caller = connect()) {
			caller.send(REQUEST + RawConnection.request("GET", "/nope") + REQUEST);
			awaitWaiting(1);
			answer.complete(fetched());
			assertThat(caller.read().status()).isEqualTo(200);
			assertThat(caller.read().status()).isEqualTo(404);
			assertThat(caller.read().status()).isEqualTo(200);
			awaitReleased();
		}
	}

	/** Otherwise the next request of the connection could be parked before. */
	@Test
	void callerIsReleasedBeforeItsRequestEnds() throws IOException {
		parkedAtEnd.set(-1);
		try (RawConnection caller = connect()) {
			caller.send(REQUEST);
			awaitWaiting(1);
			answer.complete(fetched());
			assertThat(caller.read().status()).isEqualTo(200);
			Awaitility.await().until(() -> parkedAtEnd.get() >= 0);
			assertThat(parkedAtEnd).hasValue(0);
		}
	}

	@Test
	void callerThatDisconnectsIsReleasedWhenTheFetchEnds() throws IOException {
		try (RawConnection caller = connect()) {
			caller.send(REQUEST);
			awaitWaiting(1);
		}
		answer.complete(fetched());
		awaitReleased();
	}

	@Test
	void errorWhenTooManyCallersWait() throws IOException {
		try (RawConnection first = connect(); RawConnection second = connect()) {
			first.send(REQUEST);
			second.send(REQUEST);
			awaitWaiting(2);
			GatewayErrors.assertError(get(), "TOO_MANY_WAITING");
			assertThat(count("rejected")).isEqualTo(1);
			answer.complete(fetched());
			awaitReleased();
		}
	}

	@Test
	void requestWhenThereIsNoRoomToParkItIsPassedOn() throws IOException {
		when(heap.park(any())).thenReturn(Optional.empty());
		try (RawConnection caller = connect()) {
			// Every 256th request is handled on another thread
			for (int i = 0; i < 256; i++) {
				assertThat(caller.send(REQUEST).read().status()).isEqualTo(404);
			}
		}
		verify(cache, never()).lookup(any());
	}

	@Test
	void responseAfterTheWaitFollowsTheRequest() throws IOException {
		try (RawConnection head = connect(); RawConnection last = connect()) {
			head.send(RawConnection.request("HEAD", "/api/prompt"));
			last.send(RawConnection.request("GET", "/api/prompt", "If-None-Match: *", "Connection: close"));
			awaitWaiting(2);
			answer.complete(fetched());
			assertThat(head.readHead().header("Content-Length")).hasValue("35");
			assertThat(last.read().status()).isEqualTo(304);
			assertThat(last.readToEnd()).isEmpty();
			assertThat(head.send(RawConnection.request("GET", "/nope")).read().status()).isEqualTo(404);
			awaitReleased();
		}
	}

	@Test
	void responseAfterTheIdleTimeoutOfTheConnectionIsSent() throws IOException {
		try (RawConnection caller = connect()) {
			caller.send(REQUEST);
			awaitWaiting(1);
			EndPoint endPoint = connector.getConnectedEndPoints().iterator().next();
			assertThat(endPoint.getConnection().onIdleExpired(new TimeoutException())).isFalse();
			answer.complete(fetched());
			assertThat(caller.read().status()).isEqualTo(200);
			awaitReleased();
		}
	}

	@Test
	void responseWhenTheServersThreadsRejectTasksIsSent() throws Exception {
		try (RawConnection caller = connect()) {
			caller.send(REQUEST);
			awaitWaiting(1);
			((QueuedThreadPool) server.getThreadPool()).stop();
			answer.complete(fetched());
			awaitReleased();
		}
	}

	@Test
	void errorWhenTheFetchFailsUnexpectedly() throws IOException {
		try (RawConnection caller = connect()) {
			caller.send(REQUEST);
			awaitWaiting(1);
			answer.completeExceptionally(new IllegalStateException("A bug"));
			GatewayErrors.assertError(caller.read(), "INTERNAL_ERROR");
			awaitReleased();
			assertThat(count("error")).isEqualTo(1);
		}
	}

	@Test
	void errorWhenTheLookupThrows() throws IOException {
		when(cache.lookup(any())).thenThrow(new IllegalStateException("A bug"));
		assertThat(get().status()).isEqualTo(500);
		awaitReleased();
	}

	private RawConnection connect() throws IOException {
		return new RawConnection(connector.getLocalPort());
	}

	private Response get() throws IOException {
		return RawConnection.get(connector.getLocalPort(), "/api/prompt");
	}

	private static Lookup fetched() {
		return new Lookup.Fetched(Snapshots.of(3), 0, 0, Lookup.Forward.URI_MISS, true, false);
	}

	private void awaitWaiting(int count) {
		Awaitility.await().until(() -> waitingCallers.count() == count);
	}

	/** Waits for the end of all requests: they end after their responses. */
	private void awaitReleased() {
		Awaitility.await().until(() -> parked.get() == 0);
		assertThat(waitingCallers.count()).isZero();
	}

	private double count(String result) {
		return meters.get("comfy.gateway.requests").tag("result", result).counter().count();
	}

}
