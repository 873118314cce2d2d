package dev.comfygateway.upstream;

import java.util.OptionalLong;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

class DeltaSecondsTests {

	@ParameterizedTest
	@CsvSource({ "0, 0", "1, 1", "' 7 ', 7", "007, 7", "9223372036854775807, 9223372036854775807",
			"99999999999999999999, 9223372036854775807" })
	void parseReturnsTheNumber(String text, long expected) {
		assertThat(DeltaSeconds.parse(text)).isEqualTo(OptionalLong.of(expected));
	}

	@ParameterizedTest
	@ValueSource(strings = { "", " ", "-1", "+1", "1.5", "one", "1, 2", "1 2", "\u0661" })
	void parseWhenNotANumberIsEmpty(String text) {
		assertThat(DeltaSeconds.parse(text)).isEmpty();
	}

}
