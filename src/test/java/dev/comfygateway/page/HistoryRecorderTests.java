package dev.comfygateway.page;

import dev.comfygateway.page.HistoryPoint.State;
import dev.comfygateway.support.FakeTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;

class HistoryRecorderTests {

	private final FakeTime time = new FakeTime();

	private final HistoryRecorder recorder = new HistoryRecorder(time);

	@Test
	void historyWhenNothingIsRecordedHasEverySlotOldestFirst() {
		PromptHistory history = recorder.history();
		assertThat(history.intervalSeconds()).isEqualTo(15);
		assertThat(history.points()).hasSize(240).allSatisfy(point -> {
			assertThat(point.state()).isEqualTo(State.UNASKED);
			assertThat(point.queueRemaining()).isNull();
		});
		for (int i = 0; i < 240; i++) {
			assertThat(history.points().get(i).at()).isEqualTo(FakeTime.START.minusSeconds(15L * (239 - i)));
		}
	}

	@Test
	void slotsWhenCooldownBeganBeforeTheHourAreFailed() {
		recorder.failed(FakeTime.START.plusSeconds(60));
		time.advance(Duration.ofHours(1));
		assertThat(recorder.history().points()).extracting(HistoryPoint::state)
			.startsWith(State.FAILED, State.FAILED, State.FAILED, State.UNASKED);
	}

	@Test
	void historyWhenSlotIsIncompleteHasItsStart() {
		time.advance(Duration.ofMillis(14_999));
		assertThat(last().at()).isEqualTo(FakeTime.START);
		time.advance(Duration.ofMillis(1));
		assertThat(last().at()).isEqualTo(FakeTime.START.plusSeconds(15));
	}

	@Test
	void slotHasItsLastNumber() {
		recorder.known(3L);
		time.advance(Duration.ofSeconds(14));
		recorder.known(5L);
		assertThat(last()).isEqualTo(new HistoryPoint(FakeTime.START, 5L, State.KNOWN));
	}

	@Test
	void slotWhenOnlyFailuresAreRecordedIsFailed() {
		recorder.failed(Instant.MIN);
		recorder.failed(Instant.MIN);
		assertThat(last()).isEqualTo(new HistoryPoint(FakeTime.START, null, State.FAILED));
	}

	@Test
	void slotWhenFailuresSurroundANumberHasTheNumber() {
		recorder.failed(Instant.MIN);
		recorder.known(4L);
		recorder.failed(Instant.MIN);
		assertThat(last()).isEqualTo(new HistoryPoint(FakeTime.START, 4L, State.KNOWN));
	}

	@Test
	void slotWhenTheAnswerHasNoNumberIsKnownAndNull() {
		recorder.known(4L);
		recorder.known(null);
		assertThat(last()).isEqualTo(new HistoryPoint(FakeTime.START, null, State.KNOWN));
	}

	@Test
	void slotsWhenNothingIsRecordedAreUnasked() {
		recorder.known(7L);
		time.advance(Duration.ofSeconds(45));
		recorder.failed(Instant.MIN);
		List<HistoryPoint> points = recorder.history().points().subList(236, 240);
		assertThat(points).extracting(HistoryPoint::state)
			.containsExactly(State.KNOWN, State.UNASKED, State.UNASKED, State.FAILED);
		assertThat(points).extracting(HistoryPoint::queueRemaining).containsExactly(7L, null, null, null);
	}

	@Test
	void slotWhenCoolingDownIsFailed() {
		recorder.known(7L);
		recorder.failed(FakeTime.START.plusSeconds(31));
		time.advance(Duration.ofSeconds(60));
		assertThat(recorder.history().points().subList(235, 240)).extracting(HistoryPoint::state)
			.containsExactly(State.KNOWN, State.FAILED, State.FAILED, State.UNASKED, State.UNASKED);
	}

	@Test
	void slotWhenAnAnswerEndedTheCooldownIsUnasked() {
		recorder.failed(FakeTime.START.plusSeconds(60));
		recorder.known(7L);
		time.advance(Duration.ofSeconds(15));
		assertThat(last().state()).isEqualTo(State.UNASKED);
	}

	@Test
	void slotWhenAnHourOldIsDropped() {
		recorder.known(7L);
		time.advance(Duration.ofMinutes(60).minusSeconds(15));
		assertThat(recorder.history().points().getFirst().queueRemaining()).isEqualTo(7);
		time.advance(Duration.ofSeconds(15));
		assertThat(recorder.history().points()).allMatch(point -> point.state() == State.UNASKED);
	}

	@Test
	void historyWhenADayIsRecordedHasTheLastHour() {
		for (long i = 0; i < 24 * 240; i++) {
			recorder.known(i);
			time.advance(Duration.ofSeconds(15));
		}
		List<HistoryPoint> points = recorder.history().points();
		assertThat(points).hasSize(240);
		assertThat(points.subList(0, 239)).extracting(HistoryPoint::queueRemaining).first().isEqualTo(24 * 240L - 239);
		assertThat(points.get(238).queueRemaining()).isEqualTo(24 * 240L - 1);
		assertThat(points.get(239).state()).isEqualTo(State.UNASKED);
	}

	/** After a clock correction, a slot must not show the value of another slot. */
	@Test
	void slotWhenTheClockStepsBackHasItsOwnValue() {
		Instant[] now = { FakeTime.START };
		HistoryRecorder stepping = new HistoryRecorder(() -> now[0]);
		stepping.known(7L);
		now[0] = FakeTime.START.minusSeconds(60);
		assertThat(stepping.history().points().getLast())
			.isEqualTo(new HistoryPoint(FakeTime.START.minusSeconds(60), null, State.UNASKED));
		stepping.known(8L);
		now[0] = FakeTime.START;
		assertThat(stepping.history().points().getLast().queueRemaining()).isEqualTo(7);
		assertThat(stepping.history().points().get(235).queueRemaining()).isEqualTo(8);
	}

	@Test
	void pointWhenSerializedHasDocumentedNames() {
		recorder.known(7L);
		JsonMapper json = new JsonMapper();
		assertThat(json.writeValueAsString(last()))
			.isEqualTo("{\"at\":\"2026-03-01T12:00:00Z\",\"queue_remaining\":7,\"state\":\"known\"}");
		assertThat(json.writeValueAsString(recorder.history().points().getFirst()))
			.isEqualTo("{\"at\":\"2026-03-01T11:00:15Z\",\"queue_remaining\":null,\"state\":\"unasked\"}");
	}

	private HistoryPoint last() {
		return recorder.history().points().getLast();
	}

}
