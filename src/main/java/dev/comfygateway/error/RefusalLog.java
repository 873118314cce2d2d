package dev.comfygateway.error;

import org.slf4j.Logger;

/**
 * Log of callers that are refused since a bound is reached: one line when that begins,
 * and one when it ends.
 */
public final class RefusalLog {

	private final Logger log;

	private final String code;

	private final String bound;

	private long refused;

	private long refusedAtReview;

	/**
	 * Creates the log.
	 * @param code code that refused callers get
	 * @param bound what is reached, as the end of a sentence
	 */
	public RefusalLog(Logger log, String code, String bound) {
		this.log = log;
		this.code = code;
		this.bound = bound;
	}

	/** Notes that a caller is refused. */
	public synchronized void refused() {
		if (refused++ == 0) {
			log.warn("Callers are refused with {}: {}", code, bound);
		}
	}

	/** Logs the end where no caller was refused since the last review. */
	public synchronized void review() {
		if (refused > 0 && refused == refusedAtReview) {
			log.info("Callers are not refused with {} any more, {} were", code, refused);
			refused = 0;
		}
		refusedAtReview = refused;
	}

}
