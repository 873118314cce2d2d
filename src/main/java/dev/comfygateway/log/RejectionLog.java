package dev.comfygateway.log;

import org.slf4j.Logger;

/**
 * Log of rejections at a limit: one line when they begin, and one when they end.
 */
public final class RejectionLog {

	private final Logger log;

	private final String code;

	private final String limit;

	private long rejected;

	private long rejectedBefore;

	/**
	 * Creates the log.
	 * @param code error code of the rejection
	 * @param limit the limit that is reached, as the end of a sentence
	 */
	public RejectionLog(Logger log, String code, String limit) {
		this.log = log;
		this.code = code;
		this.limit = limit;
	}

	/** Counts a rejection, and logs it if it is the first. */
	public synchronized void countRejection() {
		if (rejected++ == 0) {
			log.atWarn().addKeyValue("code", code).log("Rejecting callers with {}: {}", code, limit);
		}
	}

	/** Logs the end if there was no rejection since the last call. */
	public synchronized void logEnd() {
		if (rejected > 0 && rejected == rejectedBefore) {
			log.info("No longer rejecting callers with {}: {} were rejected", code, rejected);
			rejected = 0;
		}
		rejectedBefore = rejected;
	}

}
