package dev.comfygateway.upstream;

/**
 * Account of the upstream, as others than its client may know it.
 *
 * @param keyVersion version of the key in use; what was learned under another is void
 * @param fingerprint the same for all gateways with this key and this upstream, and
 * without a trace of the key; hexadecimal digits
 */
public record Account(long keyVersion, String fingerprint) {
}
