package dev.comfygateway.upstream;

/**
 * Account with the upstream, without the key.
 *
 * @param keyVersion version of the key in use; results of another version are discarded
 * @param fingerprint hash in hexadecimal digits, equal for all gateways with this key and
 * this upstream; the key cannot be derived from it
 */
public record Account(long keyVersion, String fingerprint) {
}
