package dev.comfygateway.log;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class ChangeLogTests {

	private final ChangeLog log = new ChangeLog("up");

	private final List<String> lines = new ArrayList<>();

	@Test
	void noteWhenNothingChangesLogsNothing() {
		note("up", 0);
		note("up", 70);
		assertThat(lines).isEmpty();
	}

	@Test
	void noteWhenStateIsNewInThisMinuteLogsIt() {
		note("down", 0);
		note("up", 1);
		note("broken", 2);
		note("up", 3);
		assertThat(lines).containsExactly("down", "up", "broken", "up");
	}

	@Test
	void noteWhenALongOutageEndsLogsIt() {
		note("down", 0);
		note("up", 1);
		note("down", 2);
		note("down", 62);
		note("down", 200);
		note("up", 300);
		assertThat(lines).containsExactly("down", "up", "down, 1 changes", "up");
	}

	@Test
	void noteWhenStateWasLoggedInThisMinuteCountsIt() {
		note("down", 0);
		note("up", 1);
		note("down", 2);
		note("up", 59);
		assertThat(lines).containsExactly("down", "up");
		note("up", 60);
		assertThat(lines).containsExactly("down", "up", "up, 2 changes");
	}

	@Test
	void noteWhenTheMinuteEndsWithAChangeIncludesItInTheCount() {
		note("down", 0);
		note("up", 1);
		note("down", 2);
		note("up", 61);
		assertThat(lines).endsWith("up, 2 changes");
		note("down", 62);
		assertThat(lines).hasSize(3);
	}

	@Test
	void noteWhenTheLastMinuteWasQuietLogsImmediately() {
		note("down", 0);
		note("up", 1);
		note("down", 90);
		note("up", 91);
		assertThat(lines).containsExactly("down", "up", "down", "up");
	}

	@Test
	void noteWhenEachStateIsNewLimitsTheLines() {
		for (int i = 0; i < 1000; i++) {
			note("down " + i, i / 100);
		}
		assertThat(lines).hasSize(8);
	}

	private void note(String state, int seconds) {
		log.note(state, TimeUnit.SECONDS.toNanos(seconds), () -> lines.add(state),
				count -> lines.add("%s, %s changes".formatted(state, count)));
	}

}
