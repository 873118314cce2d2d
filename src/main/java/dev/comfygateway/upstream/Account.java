package dev.comfygateway.upstream;

/**
 * Account with the upstream, without the key.
 *
 * @param keyVersion version of the key in use; what was learned under another is void
 * @param fingerprint hash in hexadecimal digits, equal for all gateways with this key and
 * this upstream; it does not lead back to the key
 */
public record Account(long keyVersion, String fingerprint) {
}
