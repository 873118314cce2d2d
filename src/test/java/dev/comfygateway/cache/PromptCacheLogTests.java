package dev.comfygateway.cache;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.comfygateway.upstream.Deprecation;
import dev.comfygateway.upstream.PromptInfo;
import dev.comfygateway.upstream.UpstreamFailure;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import dev.comfygateway.upstream.UpstreamAnswer;
import dev.comfygateway.upstream.UpstreamOutcome;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slf4j.LoggerFactory;
import org.slf4j.event.KeyValuePair;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

import static org.assertj.core.api.Assertions.assertThat;

/** Tests of the log: one line per change of state, none per request. */
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
	void lookupWhenUpstreamFailsTheSameWayLogsOnce(CapturedOutput output) {
		attempt(Reason.CONNECTION_REFUSED);
		cache.lookup();
		attempt(Reason.CONNECTION_REFUSED);
		assertThat(lines(output)).singleElement()
			.asString()
			.contains("WARN",
					"Upstream comfy.example fails: UPSTREAM_UNREACHABLE, connection_refused; next attempt not before "
							+ "2026-03-01T12:10:01Z");
	}

	@Test
	void lookupWhenUpstreamFailsHasCodeAndReasonAsFields() {
		ListAppender<ILoggingEvent> events = new ListAppender<>();
		events.start();
		Logger logger = (Logger) LoggerFactory.getLogger(UpstreamLog.class);
		logger.addAppender(events);
		try {
			attempt(Reason.CONNECTION_REFUSED);
		}
		finally {
			logger.detachAppender(events);
		}
		assertThat(events.list).singleElement()
			.satisfies(event -> assertThat(event.getKeyValuePairs()).extracting(KeyValuePair::toString)
				.containsExactly("code=\"UPSTREAM_UNREACHABLE\"", "reason=\"connection_refused\""));
	}

	@Test
	void lookupWhenCauseChangesLogsEach(CapturedOutput output) {
		attempt(Reason.UNAVAILABLE);
		attempt(Reason.CONNECTION_REFUSED);
		attempt(Reason.CONNECTION_REFUSED);
		attempt(Reason.DNS_ERROR);
		assertThat(lines(output)).extracting(line -> line.replaceAll(".*fails: (.*);.*", "$1"))
			.containsExactly("UPSTREAM_UNAVAILABLE, 503", "UPSTREAM_UNREACHABLE, connection_refused",
					"UPSTREAM_UNREACHABLE, dns_error");
	}

	@Test
	void lookupWhenOnlyMessageDiffersLogsOnce(CapturedOutput output) {
		for (int i = 0; i < 3; i++) {
			cache.advanceSeconds(600);
			cache.lookup();
			cache.upstream.complete(
					new UpstreamFailure(Reason.INTERNAL_ERROR, 500, null, "Request %s failed".formatted(i), null, 1));
		}
		assertThat(lines(output)).singleElement().asString().contains("fails: INTERNAL_ERROR, 500");
	}

	@Test
	void lookupWhenUpstreamRecoversLogsDuration(CapturedOutput output) {
		attempt(Reason.CONNECTION_REFUSED);
		attempt(Reason.CONNECTION_REFUSED);
		attempt(null);
		attempt(null);
		assertThat(lines(output)).hasSize(2)
			.last()
			.asString()
			.contains("INFO", "Upstream comfy.example answers again after 1200 s and 2 failed attempts");
	}

	@Test
	void lookupWhenKeyIsRefusedLogsRemedy(CapturedOutput output) {
		attempt(Reason.UNAUTHORIZED);
		cache.lookup();
		attempt(Reason.UNAUTHORIZED);
		assertThat(lines(output)).singleElement()
			.asString()
			.contains("ERROR", "Upstream comfy.example refuses the key: UNAUTHORIZED, 401; replace the key");
	}

	@Test
	void lookupWhenForbiddenLogsRemedyForAccount(CapturedOutput output) {
		attempt(Reason.FORBIDDEN);
		assertThat(lines(output)).singleElement()
			.asString()
			.contains("ERROR", "refuses the key: UPSTREAM_UNEXPECTED_STATUS, 403; check the account of the key; next");
	}

	@Test
	void lookupWhenAnswersHaveNoNumberLogsStartAndEnd(CapturedOutput output) {
		for (Long remaining : Arrays.asList(7L, null, null, 7L, 7L)) {
			answer(remaining);
		}
		assertThat(lines(output)).satisfiesExactly(
				line -> assertThat(line).contains("WARN", "Upstream comfy.example responds without a queue length"),
				line -> assertThat(line).contains("INFO", "Upstream comfy.example responds with a queue length again"));
	}

	@Test
	void lookupWhenUpstreamRecoversWithoutNumberLogsBoth(CapturedOutput output) {
		attempt(Reason.INTERNAL_ERROR);
		answer(null);
		assertThat(lines(output)).satisfiesExactly(line -> assertThat(line).contains("fails: "),
				line -> assertThat(line).contains("answers again after 600 s"),
				line -> assertThat(line).contains("responds without a queue length"));
	}

	private void answer(@Nullable Long remaining) {
		cache.advanceSeconds(600);
		cache.lookup();
		PromptInfo promptInfo = new PromptInfo(new PromptInfo.ExecInfo(remaining));
		cache.upstream.complete(new UpstreamAnswer(promptInfo, 1));
	}

	@Test
	void lookupWhenFirewallBlocksDoesNotMentionKey(CapturedOutput output) {
		attempt(Reason.BLOCKED);
		assertThat(lines(output)).singleElement()
			.asString()
			.contains("WARN", "fails: UPSTREAM_BLOCKED, 403")
			.doesNotContain("key");
	}

	@Test
	void lookupWhenProxyRefusesLogsItsStatusAndEachChange(CapturedOutput output) {
		for (int status : new int[] { 407, 407, 503 }) {
			cache.advanceSeconds(600);
			cache.lookup();
			cache.upstream.complete(new UpstreamFailure(Reason.TUNNEL_REFUSED, status, null, null, null, 1));
		}
		assertThat(lines(output)).satisfiesExactly(
				line -> assertThat(line)
					.contains("UPSTREAM_UNREACHABLE, http_request_denied; the outbound proxy answered 407; next"),
				line -> assertThat(line)
					.contains("UPSTREAM_UNREACHABLE, http_request_denied; the outbound proxy answered 503; next"));
	}

	@Test
	void lookupWhenUnreachableThroughProxyNamesProxy(CapturedOutput output) {
		cache.upstream.useProxy("squid:3128");
		attempt(Reason.CONNECTION_REFUSED);
		attempt(Reason.UNAVAILABLE);
		assertThat(lines(output)).satisfiesExactly(
				line -> assertThat(line)
					.contains("UPSTREAM_UNREACHABLE, connection_refused; through the outbound proxy squid:3128; next"),
				line -> assertThat(line).contains("UPSTREAM_UNAVAILABLE, 503; next"));
	}

	@Test
	void lookupWhenNewKeyIsAlsoRefusedLogsAgain(CapturedOutput output) {
		attempt(Reason.UNAUTHORIZED);
		cache.upstream.changeKey();
		attempt(Reason.UNAUTHORIZED);
		assertThat(lines(output)).hasSize(2).last().asString().contains("ERROR", "refuses the key");
	}

	@Test
	void lookupWhenNewKeyIsAcceptedLogsRecovery(CapturedOutput output) {
		attempt(Reason.UNAUTHORIZED);
		cache.upstream.changeKey();
		attempt(null);
		assertThat(lines(output)).hasSize(2).last().asString().contains("answers again");
	}

	@Test
	void lookupWhenDeprecationIsAnnouncedLogsOnce(CapturedOutput output) {
		for (int i = 0; i < 3; i++) {
			cache.advanceSeconds(600);
			cache.lookup();
			cache.upstream.complete(announcing("2027-01-01T00:00:00Z"));
		}
		assertThat(lines(output)).singleElement()
			.asString()
			.contains("WARN", "Upstream comfy.example announces the end of this API: Sunset 2027-01-01T00:00:00Z");
	}

	@Test
	void lookupWhenSunsetChangesLogsNewDate(CapturedOutput output) {
		for (String sunset : List.of("2027-01-01T00:00:00Z", "2026-06-01T00:00:00Z")) {
			cache.advanceSeconds(600);
			cache.lookup();
			cache.upstream.complete(announcing(sunset));
		}
		assertThat(lines(output)).hasSize(2).last().asString().contains("Sunset 2026-06-01T00:00:00Z");
	}

	private static UpstreamOutcome announcing(String sunset) {
		return new UpstreamAnswer(new PromptInfo(new PromptInfo.ExecInfo(7L)), Duration.ZERO,
				new Deprecation(false, null, Instant.parse(sunset)), 1);
	}

	/** Every third response has status 500, for 10 minutes. */
	@Test
	void lookupWhenUpstreamFlapsLogsOneLineAMinute(CapturedOutput output) {
		for (int i = 0; i < 300; i++) {
			attemptAfter(2, i % 3 == 0 ? Reason.INTERNAL_ERROR : null);
		}
		assertThat(lines(output)).hasSize(11);
		assertThat(lines(output).subList(0, 2)).satisfiesExactly(
				line -> assertThat(line).contains("fails: INTERNAL_ERROR, 500"),
				line -> assertThat(line).contains("answers again"));
		assertThat(lines(output).subList(2, 11))
			.allSatisfy(line -> assertThat(line).contains("WARN", "Upstream comfy.example is flapping: ",
					" further state changes since the last line; now it ", "INTERNAL_ERROR, 500"));
	}

	@Test
	void lookupWhenCauseChangesWhileUpstreamFlapsLogsIt(CapturedOutput output) {
		for (Reason reason : List.of(Reason.INTERNAL_ERROR, Reason.INTERNAL_ERROR, Reason.RESPONSE_TIMEOUT)) {
			attemptAfter(2, reason);
			attemptAfter(2, null);
		}
		assertThat(lines(output)).extracting(line -> line.replaceAll(".*Upstream comfy.example |( after|;).*", ""))
			.containsExactly("fails: INTERNAL_ERROR, 500", "answers again",
					"fails: UPSTREAM_TIMEOUT, http_response_timeout", "answers again");
	}

	@Test
	void lookupWhenOutageFollowsFlappingLogsItWithinAMinute(CapturedOutput output) {
		attemptAfter(2, Reason.INTERNAL_ERROR);
		attemptAfter(2, null);
		for (int i = 0; i < 40; i++) {
			attemptAfter(2, Reason.INTERNAL_ERROR);
		}
		assertThat(lines(output)).hasSize(3)
			.last()
			.asString()
			.contains(
					"flapping: 1 further state changes since the last line; now it fails: INTERNAL_ERROR, 500; next attempt");
	}

	@Test
	void lookupWhenFlappingEndedLogsNextOutageImmediately(CapturedOutput output) {
		for (int i = 0; i < 30; i++) {
			attemptAfter(2, i % 2 == 0 ? Reason.INTERNAL_ERROR : null);
		}
		attempt(null);
		attempt(null);
		attempt(Reason.INTERNAL_ERROR);
		assertThat(lines(output)).last().asString().contains("fails: INTERNAL_ERROR, 500; next attempt");
	}

	@Test
	void lookupWhenFailureHasADetailLogsIt(CapturedOutput output) {
		cache.lookup();
		cache.upstream.complete(
				new UpstreamFailure(Reason.UNEXPECTED_STATUS, 520, null, null, null, "content type text/html", 1));
		assertThat(lines(output)).singleElement()
			.asString()
			.contains("fails: UPSTREAM_UNEXPECTED_STATUS, 520; content type text/html; next attempt");
	}

	private void attemptAfter(int seconds, @Nullable Reason failure) {
		cache.advanceSeconds(seconds);
		cache.lookup("no-cache");
		if (failure == null) {
			cache.upstream.complete(7);
		}
		else {
			cache.upstream.complete(failure);
		}
	}

	@Test
	void lookupWhenClientHasBugLogsTypeWithoutMessage(CapturedOutput output) {
		cache.upstream.answerWith(() -> CompletableFuture.failedFuture(new IllegalStateException("text of the bug")));
		cache.lookup();
		assertThat(lines(output)).singleElement()
			.asString()
			.contains("ERROR", "java.lang.IllegalStateException")
			.doesNotContain("text of the bug");
	}

	/** Fetches after any stored answer and cool-down have expired. */
	private void attempt(@Nullable Reason failure) {
		attemptAfter(600, failure);
	}

	private static List<String> lines(CapturedOutput output) {
		return output.getAll().lines().filter(line -> line.matches(".*\\.(UpstreamLog|Fetches) .*")).toList();
	}

}
