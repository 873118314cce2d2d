package dev.comfygateway.upstream;

import java.security.NoSuchAlgorithmException;
import javax.net.ssl.SSLContext;
import org.springframework.boot.autoconfigure.preinitialize.BackgroundPreinitializer;

/**
 * Initializer of TLS on a background thread during start: the JDK loads its trusted
 * certificate authorities, which would otherwise delay the creation of the client.
 */
class TlsPreinitializer implements BackgroundPreinitializer {

	@Override
	public void preinitialize() throws NoSuchAlgorithmException {
		SSLContext.getDefault();
	}

}
