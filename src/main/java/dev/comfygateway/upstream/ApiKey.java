package dev.comfygateway.upstream;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Shared key of the gateway.
 *
 * @param version number of the key, from 1; results of another version are discarded
 * @param value the secret; null if no key is sent
 */
record ApiKey(long version, @Nullable String value) {

	/** No key, for requests that are not for the upstream. */
	static final ApiKey NONE = new ApiKey(0, null);

	private static final String HASH = "HmacSHA256";

	private static final int FINGERPRINT_BYTES = 16;

	/**
	 * Returns a keyed hash of the upstream's address. It identifies the account, and the
	 * key cannot be derived from it.
	 */
	String fingerprint(String baseUrl) {
		try {
			Mac mac = Mac.getInstance(HASH);
			mac.init(new SecretKeySpec((value == null ? "no key" : value).getBytes(StandardCharsets.US_ASCII), HASH));
			byte[] hash = mac.doFinal(baseUrl.getBytes(StandardCharsets.UTF_8));
			return HexFormat.of().formatHex(hash, 0, FINGERPRINT_BYTES);
		}
		catch (GeneralSecurityException e) {
			throw new IllegalStateException(e);
		}
	}

	@Override
	public String toString() {
		return "key " + version;
	}
}
