package dev.comfygateway.upstream;

import java.security.NoSuchAlgorithmException;
import javax.net.ssl.SSLContext;
import org.springframework.boot.autoconfigure.preinitialize.BackgroundPreinitializer;

/**
 * Initialization of TLS on another thread during the start: the JDK loads its trusted
 * certificate authorities, for which the client would wait otherwise.
 */
class TlsPreinitializer implements BackgroundPreinitializer {

	@Override
	public void preinitialize() throws NoSuchAlgorithmException {
		SSLContext.getDefault();
	}

}
