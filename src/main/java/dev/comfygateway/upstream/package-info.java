/**
 * Comfy Cloud as the gateway sees it: one request, built from nothing, with the shared
 * key; every way in which it can go wrong turned into one
 * {@link dev.comfygateway.upstream.UpstreamFailure}. Nothing outside this package sees
 * the key.
 */
@NullMarked
package dev.comfygateway.upstream;

import org.jspecify.annotations.NullMarked;
