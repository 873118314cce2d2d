package dev.comfygateway.cache;

import dev.comfygateway.support.FakeTime;
import dev.comfygateway.upstream.PromptInfo;
import java.time.Duration;

/** Snapshots for the tests of those who are given them. */
public final class Snapshots {

	private Snapshots() {
	}

	/** The snapshot of a queue of this length. */
	public static Snapshot of(long queueRemaining) {
		return of(new PromptInfo(new PromptInfo.ExecInfo(queueRemaining)));
	}

	static Snapshot of(PromptInfo promptInfo) {
		return new Snapshot(promptInfo, Duration.ZERO, 0, FakeTime.START, 1);
	}

	/** An answer that the upstream gave an age. */
	public static Snapshot aged(long queueRemaining, Duration age) {
		return new Snapshot(new PromptInfo(new PromptInfo.ExecInfo(queueRemaining)), age, 0, FakeTime.START, 1);
	}

}
