package dev.comfygateway.cache;

import dev.comfygateway.support.FakeTime;
import dev.comfygateway.upstream.PromptInfo;
import java.time.Duration;

/** Snapshots for tests of other packages. */
public final class Snapshots {

	private Snapshots() {
	}

	/** Snapshot of a queue of this length. */
	public static Snapshot of(long queueRemaining) {
		return of(new PromptInfo(new PromptInfo.ExecInfo(queueRemaining)));
	}

	public static Snapshot of(PromptInfo promptInfo) {
		return new Snapshot(promptInfo, Duration.ZERO, null, 0, 0, FakeTime.START, 1);
	}

	/** Snapshot with an age from the upstream. */
	public static Snapshot aged(long queueRemaining, Duration age) {
		return new Snapshot(new PromptInfo(new PromptInfo.ExecInfo(queueRemaining)), age, null, 0, 0, FakeTime.START,
				1);
	}

	/**
	 * Snapshot that was asked for at a time of the cache's ticker, and arrived at once.
	 */
	public static Snapshot asked(long queueRemaining, long asked) {
		return new Snapshot(new PromptInfo(new PromptInfo.ExecInfo(queueRemaining)), Duration.ZERO, null, asked, asked,
				FakeTime.START, 1);
	}

}
