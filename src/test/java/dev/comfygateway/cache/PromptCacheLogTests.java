package dev.comfygateway.cache;

import dev.comfygateway.upstream.UpstreamFailure.Reason;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

import static org.assertj.core.api.Assertions.assertThat;

/** One line for each change of state, and none for a request. */
@ExtendWith(OutputCaptureExtension.class)
class PromptCacheLogTests {

	private final CacheUnderTest cache = new CacheUnderTest();

	@Test
	void lookupWhenUpstreamAnswersLogsNothing(CapturedOutput output) {
		attempt(null);
		attempt(null);
		cache.lookup();
		assertThat(lines(output)).isEmpty();
	}

	@Test
	void lookupWhenUpstreamFailsInARowLogsOnce(CapturedOutput output) {
		attempt(Reason.CONNECTION_REFUSED);
		cache.lookup();
		attempt(Reason.RESPONSE_TIMEOUT);
		attempt(Reason.UNAVAILABLE);
		assertThat(lines(output)).singleElement()
			.asString()
			.contains("WARN", "The upstream fails", "CONNECTION_REFUSED");
	}

	@Test
	void lookupWhenUpstreamRecoversLogsOnce(CapturedOutput output) {
		attempt(Reason.CONNECTION_REFUSED);
		attempt(null);
		attempt(null);
		assertThat(lines(output)).hasSize(2).last().asString().contains("INFO", "The upstream answers again");
	}

	@Test
	void lookupWhenKeyIsRefusedLogsOnce(CapturedOutput output) {
		attempt(Reason.UNAUTHORIZED);
		cache.lookup();
		attempt(Reason.RESPONSE_TIMEOUT);
		attempt(Reason.FORBIDDEN);
		assertThat(lines(output)).singleElement().asString().contains("ERROR", "refuses the key", "401");
	}

	@Test
	void lookupWhenKeyIsRefusedAfterFaultLogsBoth(CapturedOutput output) {
		attempt(Reason.RESPONSE_TIMEOUT);
		attempt(Reason.UNAUTHORIZED);
		assertThat(lines(output)).hasSize(2).last().asString().contains("ERROR", "refuses the key");
	}

	@Test
	void lookupWhenNewKeyIsRefusedTooLogsAgain(CapturedOutput output) {
		attempt(Reason.UNAUTHORIZED);
		cache.upstream.changeKey();
		attempt(Reason.UNAUTHORIZED);
		assertThat(lines(output)).hasSize(2).last().asString().contains("ERROR", "refuses the key");
	}

	@Test
	void lookupWhenNewKeyIsTakenLogsRecovery(CapturedOutput output) {
		attempt(Reason.UNAUTHORIZED);
		cache.upstream.changeKey();
		attempt(null);
		assertThat(lines(output)).hasSize(2).last().asString().contains("The upstream answers again");
	}

	@Test
	void lookupWhenClientHasBugLogsItsKindWithoutItsText(CapturedOutput output) {
		cache.upstream.answerWith(() -> CompletableFuture.failedFuture(new IllegalStateException("text of the bug")));
		cache.lookup();
		assertThat(lines(output)).singleElement()
			.asString()
			.contains("ERROR", "java.lang.IllegalStateException")
			.doesNotContain("text of the bug");
	}

	/** One request to the upstream, after everything stored and every pause is over. */
	private void attempt(@Nullable Reason failure) {
		cache.advanceSeconds(600);
		cache.lookup();
		if (failure == null) {
			cache.upstream.complete(7);
		}
		else {
			cache.upstream.complete(failure);
		}
	}

	private static List<String> lines(CapturedOutput output) {
		return output.getAll().lines().filter(line -> line.contains(PromptCache.class.getSimpleName() + " ")).toList();
	}

}
