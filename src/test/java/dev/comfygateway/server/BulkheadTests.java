package dev.comfygateway.server;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.server.ConnectionMetaData;
import org.eclipse.jetty.server.Request;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;

class BulkheadTests {

	private static final int MAX_QUEUED = 1024;

	private final Bulkhead bulkhead = Bulkhead.ofQuick("test", 1);

	private final CountDownLatch occupied = new CountDownLatch(1);

	private final List<String> executed = new CopyOnWriteArrayList<>();

	@BeforeEach
	void occupy() {
		bulkhead.execute(request(1, 0), this::await);
	}

	@AfterEach
	void shutdown() {
		occupied.countDown();
		bulkhead.shutdown();
	}

	private void await() {
		try {
			occupied.await(20, TimeUnit.SECONDS);
		}
		catch (InterruptedException e) {
			Thread.currentThread().interrupt();
		}
	}

	@Test
	void queueWhenFullAcceptsOneRequestPerConnection() {
		Request oneOfMany = request(100, 10);
		for (int i = 0; i < MAX_QUEUED; i++) {
			assertThat(bulkhead.execute(oneOfMany, () -> {
			})).isTrue();
		}
		assertThat(bulkhead.execute(oneOfMany, () -> {
		})).isFalse();
		assertThat(bulkhead.execute(request(1, 0), () -> {
		})).isTrue();
		assertThat(bulkhead.execute(request(500, 499), () -> {
		})).isTrue();
	}

	@Test
	void requestsOfConnectionsWithFewerRequestsRunFirst() throws InterruptedException {
		CountDownLatch all = new CountDownLatch(3);
		for (int place : List.of(7, 3, 1)) {
			bulkhead.execute(request(place, 0), () -> {
				executed.add("place " + place);
				all.countDown();
			});
		}
		occupied.countDown();
		assertThat(all.await(20, TimeUnit.SECONDS)).isTrue();
		assertThat(executed).containsExactly("place 1", "place 3", "place 7");
	}

	private static Request request(long sent, long answered) {
		Connection connection = mock();
		when(connection.getMessagesIn()).thenReturn(sent);
		when(connection.getMessagesOut()).thenReturn(answered);
		ConnectionMetaData metaData = mock();
		when(metaData.getConnection()).thenReturn(connection);
		Request request = mock();
		when(request.getConnectionMetaData()).thenReturn(metaData);
		return request;
	}

}
