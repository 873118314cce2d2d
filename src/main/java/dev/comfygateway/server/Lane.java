package dev.comfygateway.server;

/** Kind of requests that has threads of its own, in a {@link Bulkhead}. */
public enum Lane {

	/** Health, on platform threads: it never waits. */
	PROBE,
	/** Requests that may wait for the upstream, on virtual threads. */
	WAITING,
	/** Answers that are written at the pace of the reader, on virtual threads. */
	LARGE,
	/** Everything else, on few platform threads: it never waits. */
	OTHER

}
