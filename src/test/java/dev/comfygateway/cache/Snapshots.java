package dev.comfygateway.cache;

import dev.comfygateway.support.FakeTime;
import dev.comfygateway.upstream.PromptInfo;
import java.time.Duration;

/** Factory of snapshots, also for tests of other packages. */
public final class Snapshots {

	private Snapshots() {
	}

	/** Returns a snapshot of a queue of this length. */
	public static Snapshot of(long queueRemaining) {
		return of(new PromptInfo(new PromptInfo.ExecInfo(queueRemaining)));
	}

	public static Snapshot of(PromptInfo promptInfo) {
		return new Snapshot(promptInfo, Duration.ZERO, null, 0, 0, FakeTime.START, 1);
	}

	/** Returns a snapshot with an age from the upstream. */
	public static Snapshot withAge(long queueRemaining, Duration age) {
		return new Snapshot(new PromptInfo(new PromptInfo.ExecInfo(queueRemaining)), age, null, 0, 0, FakeTime.START,
				1);
	}

	/**
	 * Returns a snapshot whose fetch started at this time of the ticker and took no time.
	 */
	public static Snapshot requestedAt(long queueRemaining, long nanos) {
		return new Snapshot(new PromptInfo(new PromptInfo.ExecInfo(queueRemaining)), Duration.ZERO, null, nanos, nanos,
				FakeTime.START, 1);
	}

}
