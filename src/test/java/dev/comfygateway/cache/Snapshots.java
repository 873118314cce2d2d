package dev.comfygateway.cache;

import dev.comfygateway.support.FakeTime;
import dev.comfygateway.upstream.PromptInfo;

/** Snapshots for the tests of those who are given them. */
public final class Snapshots {

	private Snapshots() {
	}

	/** The snapshot of a queue of this length. */
	public static Snapshot of(long queueRemaining) {
		return of(new PromptInfo(new PromptInfo.ExecInfo(queueRemaining)));
	}

	static Snapshot of(PromptInfo promptInfo) {
		return new Snapshot(promptInfo, 0, FakeTime.START, 1);
	}

}
