package dev.comfygateway.upstream;

import java.security.cert.CertPathBuilderException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import javax.security.auth.x500.X500Principal;
import org.springframework.core.NestedExceptionUtils;

/**
 * Exception for a rejected certificate of the upstream, with the reason, the
 * certificate's subject and its validity.
 */
final class RefusedCertificateException extends CertificateException {

	private static final long serialVersionUID = 1L;

	/** Maximum length of a name, which is untrusted. */
	private static final int MAX_NAME = 100;

	private final String detail;

	/**
	 * Creates the exception.
	 * @param chain certificate chain that the server sent, its own certificate first
	 * @param now time of the check
	 */
	RefusedCertificateException(X509Certificate[] chain, CertificateException refusal, Instant now) {
		// The JDK derives the TLS alert from the cause
		super(refusal.getMessage(), refusal.getCause() == null ? refusal : refusal.getCause());
		this.detail = detail(chain, refusal, now);
	}

	String detail() {
		return detail;
	}

	private static String detail(X509Certificate[] chain, CertificateException refusal, Instant now) {
		Throwable cause = NestedExceptionUtils.getMostSpecificCause(refusal);
		boolean isDate = cause instanceof CertificateExpiredException
				|| cause instanceof CertificateNotYetValidException;
		// Servers also send expired certificates that are not part of the validated path
		for (X509Certificate certificate : isDate ? List.of(chain) : List.of(chain[0])) {
			Instant start = certificate.getNotBefore().toInstant();
			Instant end = certificate.getNotAfter().toInstant();
			if (now.isAfter(end)) {
				return "the certificate of %s expired at %s".formatted(subject(certificate), time(end));
			}
			if (now.isBefore(start)) {
				return "the certificate of %s is not valid before %s".formatted(subject(certificate), time(start));
			}
		}
		X509Certificate own = chain[0];
		String rest = "valid until %s".formatted(time(own.getNotAfter().toInstant()));
		if (cause instanceof CertPathBuilderException) {
			return "the certificate of %s is from an unknown authority, %s; %s".formatted(subject(own),
					name(chain[chain.length - 1].getIssuerX500Principal()), rest);
		}
		return isDate || cause instanceof CertPathValidatorException
				? "the certificate of %s fails the checks of its chain; %s".formatted(subject(own), rest)
				: "the certificate of %s is for another host; %s".formatted(subject(own), rest);
	}

	private static Instant time(Instant time) {
		return time.truncatedTo(ChronoUnit.SECONDS);
	}

	private static String subject(X509Certificate certificate) {
		return name(certificate.getSubjectX500Principal());
	}

	/** Returns a name as plain text, since it is untrusted. */
	private static String name(X500Principal principal) {
		String name = principal.getName().replaceAll("[^\\p{L}\\p{N} .,=*@_-]", "");
		return name.isBlank() ? "an empty name" : name.substring(0, Math.min(name.length(), MAX_NAME));
	}

}
