/**
 * Client of Comfy Cloud. It sends one request, built from nothing, with the shared key,
 * and turns every failure into one {@link dev.comfygateway.upstream.UpstreamFailure}.
 * Nothing outside this package sees the key. In the order in which a fetch meets them:
 * <ol>
 * <li>{@link dev.comfygateway.upstream.ComfyCloudClient}: the key of
 * {@link dev.comfygateway.upstream.ApiKeySource}, the attempts and their timers;</li>
 * <li>{@link dev.comfygateway.upstream.Deadline}: the end of all attempts;</li>
 * <li>{@link dev.comfygateway.upstream.UpstreamExchange}: one attempt on a connection of
 * {@link dev.comfygateway.upstream.UpstreamConnections}, and the reason of its failure by
 * {@link dev.comfygateway.upstream.Faults};</li>
 * <li>{@link dev.comfygateway.upstream.ResponseReader}: status and header fields;</li>
 * <li>{@link dev.comfygateway.upstream.ContractReader}: the body, without pieces of the
 * key by {@link dev.comfygateway.upstream.KeyTrace}.</li>
 * </ol>
 */
@NullMarked
package dev.comfygateway.upstream;

import org.jspecify.annotations.NullMarked;
