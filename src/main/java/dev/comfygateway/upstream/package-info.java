/**
 * Client of Comfy Cloud. It sends a request that is built from scratch, with the shared
 * key. Every failure becomes an {@link dev.comfygateway.upstream.UpstreamFailure}. The
 * key is not accessible outside this package. The classes, in the order of a fetch:
 * <ol>
 * <li>{@link dev.comfygateway.upstream.ComfyCloudClient}: the key of
 * {@link dev.comfygateway.upstream.ApiKeySource}, the attempts and their timers;</li>
 * <li>{@link dev.comfygateway.upstream.Deadline}: the deadline of all attempts;</li>
 * <li>{@link dev.comfygateway.upstream.UpstreamExchange}: one attempt on a connection of
 * {@link dev.comfygateway.upstream.UpstreamHttpClientFactory}, and the reason for its
 * failure from {@link dev.comfygateway.upstream.FailureReasons};</li>
 * <li>{@link dev.comfygateway.upstream.ResponseReader}: status and header fields;</li>
 * <li>{@link dev.comfygateway.upstream.ContractReader}: the body;
 * {@link dev.comfygateway.upstream.KeyDetector} detects pieces of the key in it.</li>
 * </ol>
 */
@NullMarked
package dev.comfygateway.upstream;

import org.jspecify.annotations.NullMarked;
