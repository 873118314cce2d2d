package dev.comfygateway.upstream;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.http.HttpHeaders;

import static org.assertj.core.api.Assertions.assertThat;

class AgeTests {

	@Test
	void parseWhenAbsentIsZero() {
		assertThat(Age.parse(new HttpHeaders())).isZero();
	}

	@ParameterizedTest
	@CsvSource({ "0, PT0S", "1, PT1S", "' 7 ', PT7S", "007, PT7S", "999999999, PT999999999S",
			"99999999999999999999, PT999999999S", "-1, PT0S", "1.5, PT0S", "one, PT0S", "'', PT0S", "'1, 2', PT0S" })
	void parseIsWholeSecondsOrNothing(String value, Duration expected) {
		HttpHeaders headers = new HttpHeaders();
		headers.add(HttpHeaders.AGE, value);
		assertThat(Age.parse(headers)).isEqualTo(expected);
	}

}
