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
 * @param version counts from 1; what was learned under another version is void
 * @param value the secret; absent if none is sent
 */
record ApiKey(long version, @Nullable String value) {

	/** No key, for requests to others than the upstream. */
	static final ApiKey NONE = new ApiKey(0, null);

	private static final String HASH = "HmacSHA256";

	private static final int FINGERPRINT_BYTES = 16;

	/**
	 * Keyed hash of an upstream's address, which identifies the account and does not lead
	 * back to the key.
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
