package dev.comfygateway.start;

import org.jspecify.annotations.Nullable;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Failure report for HTTP/2, for which the server has no classes. */
class Http2FailureAnalyzer extends AbstractFailureAnalyzer<NoClassDefFoundError> {

	@Override
	protected @Nullable FailureAnalysis analyze(Throwable rootFailure, NoClassDefFoundError cause) {
		if (cause.getMessage() == null || !cause.getMessage().startsWith("org/eclipse/jetty/http2/")) {
			return null;
		}
		return new FailureAnalysis("The setting server.http2.enabled is true, and the gateway does not speak HTTP/2.",
				"Remove the setting. A proxy in front can speak HTTP/2 to callers and HTTP/1.1 to the gateway.", cause);
	}

}
