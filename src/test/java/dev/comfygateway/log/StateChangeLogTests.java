package dev.comfygateway.log;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class StateChangeLogTests {

	private final StateChangeLog log = new StateChangeLog("up");

	private final List<String> lines = new ArrayList<>();

	@Test
	void recordWhenNothingChangesLogsNothing() {
		record("up", 0);
		record("up", 70);
		assertThat(lines).isEmpty();
	}

	@Test
	void recordWhenStateIsNewInThisMinuteLogsIt() {
		record("down", 0);
		record("up", 1);
		record("broken", 2);
		record("up", 3);
		assertThat(lines).containsExactly("down", "up", "broken", "up");
	}

	@Test
	void recordWhenALongOutageEndsLogsIt() {
		record("down", 0);
		record("up", 1);
		record("down", 2);
		record("down", 62);
		record("down", 200);
		record("up", 300);
		assertThat(lines).containsExactly("down", "up", "down, 1 changes", "up");
	}

	@Test
	void recordWhenStateWasLoggedInThisMinuteCountsIt() {
		record("down", 0);
		record("up", 1);
		record("down", 2);
		record("up", 59);
		assertThat(lines).containsExactly("down", "up");
		record("up", 60);
		assertThat(lines).containsExactly("down", "up", "up, 2 changes");
	}

	@Test
	void recordWhenTheMinuteEndsWithAChangeIncludesItInTheCount() {
		record("down", 0);
		record("up", 1);
		record("down", 2);
		record("up", 61);
		assertThat(lines).endsWith("up, 2 changes");
		record("down", 62);
		assertThat(lines).hasSize(3);
	}

	@Test
	void recordWhenTheLastMinuteWasQuietLogsImmediately() {
		record("down", 0);
		record("up", 1);
		record("down", 90);
		record("up", 91);
		assertThat(lines).containsExactly("down", "up", "down", "up");
	}

	@Test
	void recordWhenEachStateIsNewLimitsTheLines() {
		for (int i = 0; i < 1000; i++) {
			record("down " + i, i / 100);
		}
		assertThat(lines).hasSize(8);
	}

	private void record(String state, int seconds) {
		log.record(state, TimeUnit.SECONDS.toNanos(seconds), () -> lines.add(state),
				count -> lines.add("%s, %s changes".formatted(state, count)));
	}

}
