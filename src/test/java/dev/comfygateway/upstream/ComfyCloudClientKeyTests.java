package dev.comfygateway.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.comfygateway.simulator.Behaviour;
import dev.comfygateway.simulator.Hold;
import dev.comfygateway.simulator.Received;
import dev.comfygateway.simulator.SimulatedComfyCloud;
import dev.comfygateway.upstream.UpstreamFailure.Reason;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reactor.test.scheduler.VirtualTimeScheduler;

/** Tests of fetches while the key changes. */
class ComfyCloudClientKeyTests {

	private static final String OLD = "secret-old";

	private static final String NEW = "secret-new";

	@TempDir
	Path directory;

	private SimulatedComfyCloud upstream;

	private Path file;

	private ClientFixture fixture;

	@BeforeEach
	void start() throws IOException {
		upstream = SimulatedComfyCloud.start(0, OLD);
		file = Files.writeString(directory.resolve("key"), OLD);
		fixture = ClientFixture.withKeyFile(upstream.baseUrl(), file);
	}

	@AfterEach
	void stop() {
		upstream.close();
	}

	@Test
	void fetchWhenKeyIsFromFileSendsIt() {
		assertThat(fixture.fetch()).isInstanceOf(UpstreamAnswer.class);
		assertThat(keysSent()).containsExactly(OLD);
	}

	@Test
	void fetchWhenFileWasRotatedSendsTheNewKey() throws IOException {
		fixture.fetch();
		Files.writeString(file, NEW);
		upstream.acceptKey(NEW);
		fixture.keySource.reload();
		assertThat(fixture.fetch()).isInstanceOf(UpstreamAnswer.class);
		assertThat(keysSent()).containsExactly(OLD, NEW);
	}

	@Test
	void fetchWhenKeyIsRefusedReloadsTheFileAndFetchesAgain() throws IOException {
		Files.writeString(file, NEW);
		upstream.acceptKey(NEW);
		UpstreamOutcome outcome = fixture.fetch();
		assertThat(outcome).isInstanceOf(UpstreamAnswer.class);
		assertThat(outcome.keyVersion()).isEqualTo(fixture.client.keyVersion());
		assertThat(keysSent()).containsExactly(OLD, NEW);
		assertThat(fixture.attempts()).isEqualTo(Map.of("unauthorized", 1L, "ok", 1L));
	}

	@Test
	void fetchWhenKeyIsRefusedAndTheFileIsTheSameFails() {
		upstream.acceptKey(NEW);
		assertThat(fixture.failure().reason()).isEqualTo(Reason.UNAUTHORIZED);
		assertThat(keysSent()).containsExactly(OLD);
	}

	@Test
	void fetchWhenKeyIsRefusedAndTheFileIsUnusableFails() throws IOException {
		Files.writeString(file, "");
		upstream.acceptKey(NEW);
		assertThat(fixture.failure().reason()).isEqualTo(Reason.UNAUTHORIZED);
		assertThat(keysSent()).containsExactly(OLD);
		assertThat(fixture.client.keyFile()).contains(KeyFileState.UNREADABLE);
	}

	@Test
	void fetchWhenTheNewKeyIsAlsoRefusedFails() throws IOException {
		Files.writeString(file, NEW);
		upstream.behave(Behaviour.REFUSE);
		UpstreamFailure failure = fixture.failure();
		assertThat(failure.reason()).isEqualTo(Reason.UNAUTHORIZED);
		assertThat(failure.keyVersion()).isEqualTo(fixture.client.keyVersion());
		assertThat(keysSent()).containsExactly(OLD, NEW);
	}

	@Test
	void fetchWhenKeyChangesInFlightDropsTheAnswerAndFetchesAgain() throws IOException {
		upstream.queueRemaining(1);
		Hold hold = upstream.hold();
		CompletableFuture<UpstreamOutcome> started = fixture.start();
		hold.awaitArrival(1);
		Files.writeString(file, NEW);
		fixture.keySource.reload();
		upstream.behave(Behaviour.answer(200, "{\"exec_info\": {\"queue_remaining\": 1}}"),
				Behaviour.answer(200, "{\"exec_info\": {\"queue_remaining\": 2}}"));
		hold.release();
		UpstreamOutcome outcome = ClientFixture.outcome(started);
		assertThat(outcome)
			.isEqualTo(new UpstreamAnswer(new PromptInfo(new PromptInfo.ExecInfo(2L)), fixture.client.keyVersion()));
		assertThat(keysSent()).containsExactly(OLD, NEW);
	}

	@Test
	void fetchWhenKeyChangesInFlightDropsTheFailureAndFetchesAgain() throws IOException {
		Hold hold = upstream.hold();
		CompletableFuture<UpstreamOutcome> started = fixture.start();
		hold.awaitArrival(1);
		Files.writeString(file, NEW);
		fixture.keySource.reload();
		upstream.acceptKey(NEW);
		upstream.behave(Behaviour.LIMIT, Behaviour.NORMAL);
		hold.release();
		assertThat(ClientFixture.outcome(started)).isInstanceOf(UpstreamAnswer.class);
		assertThat(keysSent()).containsExactly(OLD, NEW);
	}

	@Test
	void fetchWhenTheNewKeyStallsCountsEachAttemptOnce() throws IOException {
		VirtualTimeScheduler time = VirtualTimeScheduler.create();
		ClientFixture waiting = ClientFixture.withKeyFile(upstream.baseUrl(), file, time);
		Files.writeString(file, NEW);
		upstream.behave(Behaviour.REFUSE, Behaviour.STALL);
		CompletableFuture<UpstreamOutcome> started = waiting.start();
		upstream.awaitReceived(2);
		time.advanceTimeBy(ClientFixture.DEADLINE);
		assertThat(ClientFixture.failure(started).reason()).isEqualTo(Reason.RESPONSE_TIMEOUT);
		assertThat(waiting.attempts()).isEqualTo(Map.of("unauthorized", 1L, "timeout", 1L));
	}

	@Test
	void outcomesShowNoKey() {
		assertThat(fixture.fetch().toString()).doesNotContain("secret");
		upstream.acceptKey(NEW);
		assertThat(fixture.fetch().toString()).doesNotContain("secret");
	}

	private List<String> keysSent() {
		return upstream.received()
			.stream()
			.map(Received::headerLines)
			.flatMap(List::stream)
			.filter(line -> line.regionMatches(true, 0, "X-API-Key: ", 0, 11))
			.map(line -> line.substring(11))
			.toList();
	}

}
