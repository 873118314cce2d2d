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
 *
 * <p>
 * These classes keep the key, and the password of Redis, out of logs and responses:
 * <ul>
 * <li>{@link dev.comfygateway.upstream.ApiKey} and
 * {@link dev.comfygateway.upstream.ComfyProperties}: {@code toString()} omits it.</li>
 * <li>{@code PinnedLoggers}: libraries do not log bytes and commands.
 * {@code UnexpectedExceptionLog} and {@link dev.comfygateway.upstream.FailureReasons}:
 * messages of exceptions are never passed on.</li>
 * <li>{@link dev.comfygateway.upstream.KeyDetector} in
 * {@link dev.comfygateway.upstream.ContractReader} and
 * {@link dev.comfygateway.upstream.ResponseReader}: texts of the upstream.
 * {@link dev.comfygateway.upstream.ComfyCloudClient#withoutKey}: texts from Redis.</li>
 * <li>The failure analyzers of package {@code start}: values of settings in failure
 * reports.</li>
 * <li>{@code TracingConfiguration.ErrorClass}: a span has the class of an error without
 * its message.</li>
 * </ul>
 */
@NullMarked
package dev.comfygateway.upstream;

import org.jspecify.annotations.NullMarked;
