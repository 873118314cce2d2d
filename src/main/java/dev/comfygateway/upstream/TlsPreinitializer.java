package dev.comfygateway.upstream;

import java.security.NoSuchAlgorithmException;
import javax.net.ssl.SSLContext;
import org.springframework.boot.autoconfigure.preinitialize.BackgroundPreinitializer;

/**
 * Preparation of TLS on a second core while the application starts: the JDK reads all the
 * certificate authorities that it trusts, which the client would else wait for.
 */
class TlsPreinitializer implements BackgroundPreinitializer {

	@Override
	public void preinitialize() throws NoSuchAlgorithmException {
		SSLContext.getDefault();
	}

}
