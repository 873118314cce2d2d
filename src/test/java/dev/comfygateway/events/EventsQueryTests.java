package dev.comfygateway.events;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

class EventsQueryTests {

	@ParameterizedTest
	@NullSource
	@ValueSource(strings = { "", "&", "untilN=1", "x=until=1", "0&1&2", "%", "a=%zz&&" })
	void parseWhenUntilIsAbsentHasNoLimit(@Nullable String query) {
		assertThat(EventsQuery.parse(query).until()).isEmpty();
	}

	@ParameterizedTest
	@CsvSource({ "until=0, 0", "until=007, 7", "until=9223372036854775807, 9223372036854775807", "a=%&until=3&b, 3",
			"until=%31, 1" })
	void parseWhenUntilIsANumberReadsIt(String query, long expected) {
		assertThat(EventsQuery.parse(query).until()).hasValue(expected);
	}

	@ParameterizedTest
	@ValueSource(strings = { "until", "until=", "a&until", "until=-1", "until=+1", "until=1.5",
			"until=9223372036854775808", "until=1&until=1", "until=%", "until=%31x", "until=\u0661" })
	void parseWhenUntilIsNotANumberFails(String query) {
		assertThatIllegalArgumentException().isThrownBy(() -> EventsQuery.parse(query));
	}

	@Test
	void isDoneWhenIdIsOfADoneEventWithinTheLimitIsTrue() {
		EventsQuery query = EventsQuery.parse("until=3");
		assertThat(query.isDone("1795592265554-done-3")).isTrue();
		assertThat(query.isDone("1795592265554-done-0")).isTrue();
		assertThat(query.isDone("1795592265554-done-4")).isFalse();
		assertThat(query.isDone("1795592265554-done-9223372036854775807")).isFalse();
		assertThat(EventsQuery.parse("until=9223372036854775807").isDone("1-done-9223372036854775807")).isTrue();
		assertThat(EventsQuery.parse("until=3&lastEventId=%zz").isDone(null)).isFalse();
		assertThat(EventsQuery.parse("lastEventId=1795592265554-done-3&until=3").isDone(null)).isTrue();
		assertThat(EventsQuery.parse("lastEventId=1795592265554%2Ddone%2D3&until=3").isDone("1")).isTrue();
	}

	@ParameterizedTest
	@NullSource
	@ValueSource(strings = { "", "1795592265554", "-done-0", "1-done-", "1-done-0 ", "1-done--1", "x-done-0",
			"1-DONE-0", "1-done-9999999999999999999", "1-done-99999999999999999999", "\u0661-done-0" })
	void isDoneWhenIdIsOfAnotherEventIsFalse(@Nullable String id) {
		assertThat(EventsQuery.parse("until=9223372036854775807").isDone(id)).isFalse();
	}

	@Test
	void isDoneWhenThereIsNoLimitDependsOnlyOnTheId() {
		assertThat(EventsQuery.parse("").isDone("1795592265554-done-7")).isTrue();
		assertThat(EventsQuery.parse("").isDone("1795592265554")).isFalse();
	}

}
