package dev.comfygateway.fleet;

import dev.comfygateway.cache.SharedResult;
import dev.comfygateway.upstream.PromptInfo;
import dev.comfygateway.upstream.UpstreamFailure;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/** {@link StoredAnswer} and {@link StoredFailure}. */
class StoredResultTests {

	private static final Duration AGE = Duration.ofMillis(1234);

	private static final Duration LEFT = Duration.ofSeconds(3);

	static Stream<PromptInfo> answers() {
		return Stream.of(new PromptInfo(null), new PromptInfo(new PromptInfo.ExecInfo(null)),
				new PromptInfo(new PromptInfo.ExecInfo(0L)), new PromptInfo(new PromptInfo.ExecInfo(Long.MAX_VALUE)));
	}

	@ParameterizedTest
	@MethodSource("answers")
	void readWhenAnswerWasWrittenIsTheSame(PromptInfo promptInfo) {
		SharedResult.Answer answer = new SharedResult.Answer(promptInfo, Duration.ofSeconds(2), true,
				Duration.ofMillis(20), Instant.parse("2026-03-01T12:00:00.123Z"), AGE);
		assertThat(StoredAnswer.read(StoredAnswer.write(answer), AGE)).isEqualTo(answer);
	}

	@ParameterizedTest
	@EnumSource
	void readWhenFailureWasWrittenIsTheSame(Reason reason) {
		SharedResult.Failure failure = failure(reason, "SOME_CODE", "Some \"text\".", Duration.ofSeconds(7));
		assertThat(StoredFailure.read(StoredFailure.write(failure), 4, Duration.ZERO, LEFT)).isEqualTo(failure);
	}

	@Test
	void readWhenFailureHasNoTextIsTheSame() {
		SharedResult.Failure failure = failure(Reason.DNS_ERROR, null, null, null);
		assertThat(StoredFailure.read(StoredFailure.write(failure), 4, Duration.ZERO, LEFT)).isEqualTo(failure);
	}

	@Test
	void writtenResultsAreSmall() {
		String longest = StoredFailure.write(failure(Reason.RATE_LIMITED, "C".repeat(64), "m".repeat(300), LEFT));
		assertThat(longest).hasSizeLessThan(1024);
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "rubbish", "7", "null", "[]", "{}", "{\"promptInfo\":null}",
			"{\"promptInfo\":{},\"ageOnArrival\":0,\"took\":1,\"deprecated\":false}",
			"{\"promptInfo\":{},\"ageOnArrival\":0,\"took\":1,\"deprecated\":false,\"arrivedAt\":9223372036854775807}",
			"{\"promptInfo\":{},\"ageOnArrival\":9223372036854775807,\"took\":1,\"deprecated\":false,\"arrivedAt\":1}",
			"{\"promptInfo\":{},\"ageOnArrival\":-1,\"took\":1,\"deprecated\":false,\"arrivedAt\":1}",
			"{\"promptInfo\":{\"exec_info\":{\"queue_remaining\":-1}},\"ageOnArrival\":0,\"took\":1,\"deprecated\":false,\"arrivedAt\":1}",
			"{\"promptInfo\":{\"exec_info\":7},\"ageOnArrival\":0,\"took\":1,\"deprecated\":false,\"arrivedAt\":1}" })
	void readWhenItIsNoAnswerThrows(String text) {
		assertThatExceptionOfType(InvalidResultException.class).isThrownBy(() -> StoredAnswer.read(text, AGE));
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "rubbish", "{}", "null", "{\"reason\":\"WHIM\"}" })
	void readWhenItIsNoFailureThrows(String text) {
		assertInvalid(text);
	}

	@ParameterizedTest
	@ValueSource(strings = { "\"reason\":\"UNAVAILABLE\"/\"reason\":null", "\"interval\":4000/\"interval\":0",
			"\"failures\":3/\"failures\":0", "\"lasting\":9000/\"lasting\":-9000",
			"\"lasting\":9000/\"lasting\":9223372036854775807", "\"interval\":4000/\"interval\":9223372036854775807",
			"\"status\":503/\"status\":7", "\"retryAfter\":null/\"retryAfter\":-1", "SOME_CODE/NOT_CACHED",
			"SOME_CODE/line\\nbreak", "Some text/line\\nbreak" })
	void readWhenAFailureIsChangedForTheWorseThrows(String change) {
		String text = StoredFailure.write(failure(Reason.UNAVAILABLE, "SOME_CODE", "Some text", null));
		String[] pair = change.split("/");
		assertThat(text).contains(pair[0]);
		assertInvalid(text.replace(pair[0], pair[1]));
	}

	private static void assertInvalid(String text) {
		assertThatExceptionOfType(InvalidResultException.class)
			.isThrownBy(() -> StoredFailure.read(text, 1, AGE, LEFT));
	}

	private static SharedResult.Failure failure(Reason reason, @Nullable String code, @Nullable String message,
			@Nullable Duration retryAfter) {
		return new SharedResult.Failure(new UpstreamFailure(reason, 503, code, message, retryAfter, 4), false,
				Duration.ofSeconds(4), LEFT, true, 3, Duration.ofSeconds(9));
	}

}
