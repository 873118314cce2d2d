package dev.comfygateway.prompt;

import dev.comfygateway.cache.Lookup;
import dev.comfygateway.server.ConnectionShare;
import dev.comfygateway.support.GatewaySettings;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.jetty.autoconfigure.JettyServerProperties;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

@ExtendWith(OutputCaptureExtension.class)
class WaitingCallersTests {

	private final SimpleMeterRegistry meters = new SimpleMeterRegistry();

	private final WaitingCallers callers = new WaitingCallers(GatewaySettings.with("max-waiting=1"),
			new ConnectionShare(new JettyServerProperties()), meters);

	private final CompletableFuture<Lookup> answer = new CompletableFuture<>();

	@Test
	void joinWhenAnswerArrivesCompletes() {
		CompletableFuture<Lookup> joined = join().orElseThrow();
		assertThat(joined).isNotDone();
		answer.complete(new Lookup.NotCached());
		assertThat(joined).isCompletedWithValue(new Lookup.NotCached());
		assertThat(callers.count()).isZero();
	}

	@Test
	void joinWhenNothingIsAwaitedHoldsNoPermit() {
		assertThat(callers.join(Lookup.NotCached::new).orElseThrow()).isCompletedWithValue(new Lookup.NotCached());
		assertThat(callers.count()).isZero();
	}

	@Test
	void joinWhenLimitIsReachedIsRejectedUntilACallerIsServed() {
		join();
		assertThat(meters.get("comfy.gateway.callers.waiting").gauge().value()).isEqualTo(1);
		assertThat(join()).isEmpty();
		answer.complete(new Lookup.NotCached());
		assertThat(join()).isPresent();
	}

	@Test
	void joinWhenFetchFailsReleasesThePermit() {
		CompletableFuture<Lookup> joined = join().orElseThrow();
		answer.completeExceptionally(new IllegalStateException("A bug"));
		assertThat(joined).isCompletedExceptionally();
		assertThat(callers.count()).isZero();
	}

	@Test
	void joinWhenLookupThrowsReleasesThePermit() {
		assertThatIllegalStateException().isThrownBy(() -> callers.join(() -> {
			throw new IllegalStateException("A bug");
		}));
		assertThat(callers.count()).isZero();
	}

	@Test
	void logEndOfRejectionsWhenCallersWereRejectedLogsStartAndEndOnce(CapturedOutput output) {
		join();
		callers.logEndOfRejections();
		join();
		join();
		callers.logEndOfRejections();
		join();
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
	}

	private Optional<CompletableFuture<Lookup>> join() {
		return callers.join(() -> new Lookup.Awaited(answer));
	}

	private static List<String> lines(CapturedOutput output) {
		return output.getAll().lines().filter(line -> line.contains("WaitingCallers ")).toList();
	}

}
