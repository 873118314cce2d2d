package dev.comfygateway.cache;

import dev.comfygateway.support.FakeTime;
import dev.comfygateway.upstream.PromptInfo;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

class SnapshotTests {

	@ParameterizedTest
	@ValueSource(longs = { 0, 1, 3, Long.MAX_VALUE })
	void bodyWhenQueueIsKnownIsContractsJson(long remaining) {
		assertThat(Snapshots.of(remaining).body()).asString()
			.isEqualTo("{\"exec_info\":{\"queue_remaining\":" + remaining + "}}");
	}

	@Test
	void bodyWhenQueueIsAbsentOmitsIt() {
		assertThat(Snapshots.of(new PromptInfo(new PromptInfo.ExecInfo(null))).body()).asString()
			.isEqualTo("{\"exec_info\":{}}");
	}

	@Test
	void bodyWhenEverythingIsAbsentIsEmptyObject() {
		assertThat(Snapshots.of(new PromptInfo(null)).body()).asString().isEqualTo("{}");
	}

	@Test
	void etagWhenReadIsStrong() {
		assertThat(Snapshots.of(3).etag()).matches("\"[\\x21\\x23-\\x7e]+\"");
	}

	@Test
	void etagWhenOnlyBodyIsEqualIsEqual() {
		Snapshot first = new Snapshot(new PromptInfo(new PromptInfo.ExecInfo(3L)), Duration.ZERO, null, 7, 7,
				FakeTime.START, 1);
		Snapshot second = new Snapshot(new PromptInfo(new PromptInfo.ExecInfo(3L)), Duration.ZERO, null, 9, 9,
				FakeTime.START.plusSeconds(1), 2);
		assertThat(first.etag()).isEqualTo(second.etag());
	}

	@Test
	void etagWhenBodiesDifferDiffers() {
		assertThat(new String[] { Snapshots.of(3).etag(), Snapshots.of(4).etag(),
				Snapshots.of(new PromptInfo(null)).etag(),
				Snapshots.of(new PromptInfo(new PromptInfo.ExecInfo(null))).etag() })
			.doesNotHaveDuplicates();
	}

	@Test
	void ageWhenTickerOverflowedIsTimePassed() {
		Snapshot snapshot = new Snapshot(new PromptInfo(null), Duration.ZERO, null, Long.MAX_VALUE, Long.MAX_VALUE,
				FakeTime.START, 1);
		assertThat(snapshot.age(Long.MIN_VALUE + 4)).isEqualTo(5);
	}

	@Test
	void ageWhenReadBeforeArrivalIsZero() {
		Snapshot snapshot = new Snapshot(new PromptInfo(null), Duration.ZERO, null, 10, 10, FakeTime.START, 1);
		assertThat(snapshot.age(9)).isZero();
	}

	@Test
	void ageWhenUpstreamSentAgeIncludesIt() {
		Snapshot snapshot = new Snapshot(new PromptInfo(null), Duration.ofSeconds(3), null, 10, 10, FakeTime.START, 1);
		assertThat(snapshot.age(11)).isEqualTo(Duration.ofSeconds(3).plusNanos(1).toNanos());
		assertThat(snapshot.observedAt()).isEqualTo(FakeTime.START.minusSeconds(3));
	}

}
