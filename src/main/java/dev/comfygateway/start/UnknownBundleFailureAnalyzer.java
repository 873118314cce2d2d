package dev.comfygateway.start;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.ssl.NoSuchSslBundleException;

/** Failure analyzer for a reference to an SSL bundle that is not defined. */
class UnknownBundleFailureAnalyzer extends AbstractFailureAnalyzer<NoSuchSslBundleException> {

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, NoSuchSslBundleException cause) {
		return new FailureAnalysis("No SSL bundle named '%s' is defined.".formatted(cause.getBundleName()),
				"Define it below spring.ssl.bundle.pem or spring.ssl.bundle.jks, or correct the setting that names it,"
						+ " such as spring.http.clients.ssl.bundle.",
				cause);
	}

}
