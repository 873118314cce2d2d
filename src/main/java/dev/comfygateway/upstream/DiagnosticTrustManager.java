package dev.comfygateway.upstream;

import java.net.Socket;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Arrays;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.ssl.SslBundle;
import org.springframework.boot.ssl.SslManagerBundle;

/**
 * Delegating trust manager that adds the certificate's details to a rejection: the JDK's
 * exceptions do not contain them.
 */
final class DiagnosticTrustManager extends X509ExtendedTrustManager {

	private final X509ExtendedTrustManager delegate;

	private DiagnosticTrustManager(X509ExtendedTrustManager delegate) {
		this.delegate = delegate;
	}

	/**
	 * Wraps the trust managers of a bundle, or those of the JVM if no bundle is given.
	 * Returns null if no bundle is given and the JVM has a client certificate, which a
	 * bundle would not send.
	 */
	static @Nullable SslBundle wrap(@Nullable SslBundle given) {
		if (given == null && System.getProperty("javax.net.ssl.keyStore") != null) {
			return null;
		}
		SslBundle bundle = given == null ? SslBundle.systemDefault() : given;
		return SslBundle.of(bundle.getStores(), bundle.getKey(), bundle.getOptions(), bundle.getProtocol(),
				new DiagnosticBundle(bundle.getManagers()));
	}

	/** Managers of a bundle, with wrapped trust managers. */
	private record DiagnosticBundle(SslManagerBundle managers) implements SslManagerBundle {

		@Override
		public KeyManagerFactory getKeyManagerFactory() {
			return managers.getKeyManagerFactory();
		}

		@Override
		public TrustManagerFactory getTrustManagerFactory() {
			return managers.getTrustManagerFactory();
		}

		@Override
		public TrustManager[] getTrustManagers() {
			return Arrays.stream(managers.getTrustManagers())
				.map(manager -> manager instanceof X509ExtendedTrustManager delegate
						? new DiagnosticTrustManager(delegate) : manager)
				.toArray(TrustManager[]::new);
		}

	}

	@Override
	public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
			throws CertificateException {
		try {
			delegate.checkServerTrusted(chain, authType, engine);
		}
		catch (CertificateException refusal) {
			throw new RefusedCertificateException(chain, refusal, Instant.now());
		}
	}

	@Override
	public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
			throws CertificateException {
		delegate.checkServerTrusted(chain, authType, socket);
	}

	@Override
	public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
		delegate.checkServerTrusted(chain, authType);
	}

	@Override
	public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
			throws CertificateException {
		delegate.checkClientTrusted(chain, authType, engine);
	}

	@Override
	public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
			throws CertificateException {
		delegate.checkClientTrusted(chain, authType, socket);
	}

	@Override
	public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
		delegate.checkClientTrusted(chain, authType);
	}

	@Override
	public X509Certificate[] getAcceptedIssuers() {
		return delegate.getAcceptedIssuers();
	}

}
