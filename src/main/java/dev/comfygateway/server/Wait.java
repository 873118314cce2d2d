package dev.comfygateway.server;

import java.util.concurrent.CompletionStage;

/** Wait of one caller for an answer that is on its way. */
public interface Wait {

	/** Completes, in whatever way, when the request can be answered without waiting. */
	CompletionStage<?> answer();

	/** The caller is kept waiting. */
	void begin();

	/** The caller has been answered, or is gone. */
	void end();

}
