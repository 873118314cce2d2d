package dev.comfygateway.fleet;

import dev.comfygateway.cache.Cooldown;
import dev.comfygateway.cache.Snapshot;
import dev.comfygateway.upstream.Deprecation;
import dev.comfygateway.upstream.PromptInfo;
import dev.comfygateway.upstream.UpstreamFailure;
import dev.comfygateway.upstream.UpstreamFailure.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/** Tests of {@link SnapshotJson} and {@link CooldownJson}. */
class ResultJsonTests {

	private static final long AT = Duration.ofMinutes(1).toNanos();

	private static final long UNTIL = Duration.ofMinutes(2).toNanos();

	private static final Duration TOOK = Duration.ofMillis(20);

	static Stream<PromptInfo> answers() {
		return Stream.of(new PromptInfo(null), new PromptInfo(new PromptInfo.ExecInfo(null)),
				new PromptInfo(new PromptInfo.ExecInfo(0L)), new PromptInfo(new PromptInfo.ExecInfo(Long.MAX_VALUE)));
	}

	@ParameterizedTest
	@MethodSource("answers")
	void readWhenSnapshotWasWrittenIsEqual(PromptInfo promptInfo) {
		Snapshot snapshot = new Snapshot(promptInfo, Duration.ofSeconds(2),
				new Deprecation(true, null, Instant.parse("2027-01-01T00:00:00Z")), AT - TOOK.toNanos(), AT,
				Instant.parse("2026-03-01T12:00:00.123Z"), 4);
		assertThat(SnapshotJson.read(SnapshotJson.write(snapshot), 4, AT)).usingRecursiveComparison()
			.isEqualTo(snapshot);
	}

	@ParameterizedTest
	@EnumSource
	void readWhenCooldownWasWrittenIsEqual(Reason reason) {
		Cooldown cooldown = cooldown(reason, "SOME_CODE", "Some \"text\".", Duration.ofSeconds(7));
		assertThat(read(CooldownJson.write(cooldown), 4)).isEqualTo(cooldown);
	}

	@Test
	void readWhenFailureHasNoMessageIsEqual() {
		Cooldown cooldown = cooldown(Reason.DNS_ERROR, null, null, null);
		assertThat(read(CooldownJson.write(cooldown), 4)).isEqualTo(cooldown);
	}

	@Test
	void everyFlagOfACooldownIsRead() {
		String text = CooldownJson.write(cooldown(Reason.UNAUTHORIZED, null, null, null));
		List<MatchResult> flags = Pattern.compile("true|false").matcher(text).results().toList();
		assertThat(flags).isNotEmpty().allSatisfy(flag -> {
			String other = text.substring(0, flag.start()) + !Boolean.parseBoolean(flag.group())
					+ text.substring(flag.end());
			assertThat(read(other, 4)).isNotEqualTo(read(text, 4));
		});
	}

	@Test
	void writtenResultsAreWithinTheSizeLimit() {
		String longest = CooldownJson.write(cooldown(Reason.RATE_LIMITED, "C".repeat(64), "m".repeat(300), TOOK));
		assertThat(longest).hasSizeLessThan(1024);
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "rubbish", "7", "null", "[]", "{}", "{\"promptInfo\":null}",
			"{\"promptInfo\":{},\"ageOnArrival\":0,\"took\":1,\"deprecated\":false}",
			"{\"promptInfo\":{},\"ageOnArrival\":0,\"took\":1,\"arrivedAt\":9223372036854775807}",
			"{\"promptInfo\":{},\"ageOnArrival\":9223372036854775807,\"took\":1,\"arrivedAt\":1}",
			"{\"promptInfo\":{},\"ageOnArrival\":-1,\"took\":1,\"arrivedAt\":1}",
			"{\"promptInfo\":{\"exec_info\":{\"queue_remaining\":-1}},\"ageOnArrival\":0,\"took\":1,\"arrivedAt\":1}",
			"{\"promptInfo\":{\"exec_info\":7},\"ageOnArrival\":0,\"took\":1,\"arrivedAt\":1}" })
	void readWhenTextIsNotASnapshotThrows(String text) {
		assertThatExceptionOfType(InvalidResultException.class).isThrownBy(() -> SnapshotJson.read(text, 1, AT));
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "rubbish", "{}", "null", "{\"reason\":\"WHIM\"}" })
	void readWhenTextIsNotACooldownThrows(String text) {
		assertInvalid(text);
	}

	@ParameterizedTest
	@ValueSource(strings = { "\"reason\":\"UNAVAILABLE\"/\"reason\":null", "\"interval\":4000/\"interval\":0",
			"\"failures\":3/\"failures\":0", "\"lasting\":9000/\"lasting\":-9000",
			"\"lasting\":9000/\"lasting\":9223372036854775807", "\"interval\":4000/\"interval\":9223372036854775807",
			"\"status\":503/\"status\":7", "\"retryAfter\":null/\"retryAfter\":-1", "SOME_CODE/line\\nbreak",
			"Some text/line\\nbreak" })
	void readWhenAFieldOfAFailureIsInvalidThrows(String change) {
		String text = CooldownJson.write(cooldown(Reason.UNAVAILABLE, "SOME_CODE", "Some text", null));
		String[] pair = change.split("/");
		assertThat(text).contains(pair[0]);
		assertInvalid(text.replace(pair[0], pair[1]));
	}

	private static void assertInvalid(String text) {
		assertThatExceptionOfType(InvalidResultException.class).isThrownBy(() -> read(text, 1));
	}

	private static Cooldown read(String text, long keyVersion) {
		return CooldownJson.read(text, keyVersion, AT, UNTIL, UnaryOperator.identity());
	}

	private static Cooldown cooldown(Reason reason, @Nullable String code, @Nullable String message,
			@Nullable Duration retryAfter) {
		return new Cooldown(new UpstreamFailure(reason, 503, code, message, retryAfter, message, 4), AT,
				Duration.ofSeconds(4), UNTIL, true, AT - Duration.ofSeconds(9).toNanos(), 3);
	}

}
