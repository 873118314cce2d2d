package dev.comfygateway.server;

/** Category of requests with dedicated threads in a {@link Bulkhead}. */
public enum Lane {

	/** Health probes, which never wait, on platform threads. */
	PROBE,
	/** Requests that may wait for the upstream, on virtual threads. */
	WAITING,
	/** Large responses, whose writes wait for the reader, on virtual threads. */
	LARGE,
	/** All other requests, which never wait, on a few platform threads. */
	OTHER

}
