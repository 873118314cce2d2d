package dev.comfygateway.prompt;

import dev.comfygateway.cache.Lookup;
import dev.comfygateway.server.ConnectionShare;
import dev.comfygateway.support.GatewaySettings;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.jetty.autoconfigure.JettyServerProperties;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

import static org.assertj.core.api.Assertions.assertThat;

@ExtendWith(OutputCaptureExtension.class)
class WaitingCallersTests {

	private final SimpleMeterRegistry meters = new SimpleMeterRegistry();

	private final WaitingCallers callers = new WaitingCallers(GatewaySettings.with("max-waiting=1"),
			new ConnectionShare(new JettyServerProperties()), meters);

	private final CompletableFuture<Lookup> answer = new CompletableFuture<>();

	@Test
	void awaitWhenAnswerArrivesReturnsIt() {
		answer.complete(new Lookup.NotCached());
		assertThat(callers.await(() -> new Lookup.Awaited(answer))).contains(new Lookup.NotCached());
		assertThat(callers.count()).isZero();
	}

	@Test
	void awaitWhenLimitIsReachedIsRejectedUntilACallerIsServed() throws Exception {
		Thread waiting = waiting();
		assertThat(meters.get("comfy.gateway.callers.waiting").gauge().value()).isEqualTo(1);
		assertThat(callers.await(() -> new Lookup.Awaited(answer))).isEmpty();
		answer.complete(new Lookup.NotCached());
		waiting.join();
		assertThat(callers.await(() -> new Lookup.Awaited(answer))).isPresent();
	}

	@Test
	void logEndOfRejectionsWhenCallersWereRejectedLogsStartAndEndOnce(CapturedOutput output) throws Exception {
		Thread waiting = waiting();
		callers.logEndOfRejections();
		callers.await(() -> new Lookup.Awaited(answer));
		callers.await(() -> new Lookup.Awaited(answer));
		callers.logEndOfRejections();
		callers.await(() -> new Lookup.Awaited(answer));
		callers.logEndOfRejections();
		assertThat(lines(output)).singleElement()
			.asString()
			.contains("WARN", "Rejecting callers with TOO_MANY_WAITING: 1 waiting, limit gateway.max-waiting reached");
		callers.logEndOfRejections();
		callers.logEndOfRejections();
		assertThat(lines(output)).hasSize(2)
			.last()
			.asString()
			.contains("INFO", "No longer rejecting callers with TOO_MANY_WAITING: 3 were rejected");
		answer.complete(new Lookup.NotCached());
		waiting.join();
	}

	private Thread waiting() {
		Thread waiting = Thread.ofVirtual().start(() -> callers.await(() -> new Lookup.Awaited(answer)));
		Awaitility.await().atMost(20, TimeUnit.SECONDS).until(() -> callers.count() == 1);
		return waiting;
	}

	private static List<String> lines(CapturedOutput output) {
		return output.getAll().lines().filter(line -> line.contains("WaitingCallers ")).toList();
	}

}
